import { lastLine } from '../text.ts';

/** Programs print more than their version; a person wants the line with the number. */
export function lineOfVersion(output: string): string {
  const lines = output.split('\n').map((line) => line.trim());
  return (lines.find((line) => /\d+\.\d+/.test(line)) ?? lastLine(output)).slice(0, 100);
}
