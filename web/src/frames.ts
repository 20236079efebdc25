import type { OutputFrame, StreamFrame } from '../../src/api/contract/stream.ts';

export type DeltaFrame = Extract<StreamFrame, { type: 'delta' }>;
export type OutputPart = Extract<OutputFrame, { type: 'output' }>;
