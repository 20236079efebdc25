/** The world that chaos happens in: two repositories with real code, and recipes that keep a ledger of their own. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { makeTown, type RealTown, type RigPlan } from '../support/real-town.ts';
import { RIGS, type ChaosBead } from './plan.ts';

export interface Stage extends RealTown {
  readonly ledger: string;
  readonly gateLedger: string;
}

/** What the gate runs: every unit of work is whole, and the shared lists have each line once. */
const CHECK = `import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
const labels = readdirSync('work').map((file) => file.replace('.txt', ''));
for (const label of labels) assert.equal(readFileSync(\`work/\${label}.txt\`, 'utf8'), \`\${label}\\n\`, label);
for (const file of readdirSync('shared')) {
  const lines = readFileSync(\`shared/\${file}\`, 'utf8').trim().split('\\n');
  assert.equal(new Set(lines).size, lines.length, \`\${file} has a line twice\`);
  for (const line of lines) assert.ok(labels.includes(line), \`\${file} has the unknown line \${line}\`);
}
console.log(\`\${labels.length} units of work are whole\`);
`;

/** Each line is one write with O_APPEND: time in ms, event, names, and the shell's pid. */
const recipe = (folder: string): string => `
folder=${folder}
note() {
  printf '%s %s %s %s %s %s %s %s %s\\n' "$(date +%s%3N)" "$1" "$LABEL" "$GT_SOURCE_BEAD" "$GT_BEAD" "$GT_ATTEMPT" "$GT_KIND" "$GT_ROUND" "$$" >> "$folder/ledger.log"
}
# Held by this shell and everything below it; the kernel frees it when the last of them is gone.
exec 9> "$folder/locks/$GT_SOURCE_BEAD"
flock -n 9 || { note double; exit 98; }
trap 'note term; exit 143' TERM
note start
case "$STYLE:$GT_KIND" in
  *:conflict)
    git merge --no-commit "$GT_TARGET_SHA" || true
    for file in shared/*.txt; do
      sed -e '/^<<<<<<< /d' -e '/^=======$/d' -e '/^>>>>>>> /d' "$file" > merged.tmp && mv merged.tmp "$file"
    done
    sleep "$PAUSE"
    git add -A && git commit -qm "resolve $LABEL"
    ;;
  red:rework)
    sleep "$PAUSE"
    printf '%s\\n' "$LABEL" > "work/$LABEL.txt"
    git commit -qam "fix $LABEL"
    ;;
  *:rework)
    note unexpected
    exit 97
    ;;
  *)
    if [ -n "$OTHER" ]; then
      touch "$folder/meet/$LABEL"
      i=0; until [ -e "$folder/meet/$OTHER" ] || [ $i -ge 100 ]; do sleep 0.1; i=$((i+1)); done
      printf '%s\\n' "$LABEL" >> "shared/$SHARED.txt"
    fi
    sleep "$PAUSE"
    printf '%s\\n' "$LABEL" > "work/$LABEL.txt"
    if [ "$STYLE" = red ]; then echo RED >> "work/$LABEL.txt"; fi
    git add -A && git commit -qm "work $LABEL"
    sleep "$PAUSE"
    ;;
esac
note end
`;

/** The gate notes which tree it judged, after it made sure that the worktree is that tree. */
const gate = (folder: string): string => `
tree=$(git rev-parse 'HEAD^{tree}')
test -z "$(git status --porcelain --untracked-files=all)" || { echo "the worktree is not its commit"; exit 3; }
if node check.mjs; then verdict=green; else verdict=red; fi
printf '%s %s %s %s\\n' "$(date +%s%3N)" "$verdict" "$GT_RIG" "$tree" >> ${folder}/gates.log
test $verdict = green
`;

export async function makeStage(folder: string, pairs: readonly string[]): Promise<Stage> {
  for (const name of ['locks', 'meet']) mkdirSync(join(folder, name), { recursive: true });
  writeFileSync(join(folder, 'recipe.sh'), recipe(folder));
  writeFileSync(join(folder, 'gate.sh'), gate(folder));
  const rigs = RIGS.map((name): RigPlan => ({ name, files: filesOf(pairs), gate: `sh -e ${folder}/gate.sh` }));
  const made = await makeTown(folder, rigs);
  return { ...made, ledger: join(folder, 'ledger.log'), gateLedger: join(folder, 'gates.log') };
}

/** Shared lists begin with one line, so that two appended lines meet at the same place. */
function filesOf(pairs: readonly string[]): Record<string, string> {
  const shared = Object.fromEntries(pairs.map((pair) => [`shared/${pair}.txt`, 'first\n']));
  return { 'check.mjs': CHECK, 'work/first.txt': 'first\n', 'shared/list.txt': 'first\n', ...shared };
}

export function bodyOf(stage: { readonly folder: string }, bead: ChaosBead): string {
  const words = `LABEL=${bead.label} STYLE=${bead.style} PAUSE=${(bead.seconds / 2).toFixed(2)} OTHER=${bead.other ?? ''} SHARED=${bead.shared ?? ''}`;
  return `Chaos: ${bead.label}.\n\n\`\`\`gt-script\n${words}\n. ${stage.folder}/recipe.sh\n\`\`\`\n`;
}
