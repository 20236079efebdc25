import { describe, expect, it } from 'vitest';
import { refusalOf } from './push-refusal.ts';

const rejected = (reason: string, ...remote: readonly string[]) =>
  refusalOf({
    stdout: `To /srv/app.git\n!\tabc:refs/heads/main\t[remote rejected] (${reason})\nDone`,
    stderr: `${remote.map((line) => `remote: ${line}`).join('\n')}\nerror: failed to push some refs to '/srv/app.git'`,
  });
const failed = (stderr: string) => refusalOf({ stdout: '', stderr });

describe('a push that a host does not take', () => {
  it.each([
    [
      'pre-receive hook declined',
      ['policy: no direct pushes to main'],
      'policy: no direct pushes to main (pre-receive hook declined)',
    ],
    [
      'protected branch hook declined',
      [
        'error: GH006: Protected branch update failed for refs/heads/main.',
        'error: Changes must be made through a pull request.',
      ],
      'error: GH006: Protected branch update failed for refs/heads/main. error: Changes must be made through a pull request. (protected branch hook declined)',
    ],
    ['branch is currently checked out', [], '(branch is currently checked out)'],
  ])('is refused for good: %s', (reason, remote, words) => {
    expect(rejected(reason, ...remote)).toBe(words);
  });

  it.each([
    ["cannot lock ref 'refs/heads/main'"],
    ['failed to update ref'],
    ['incorrect old value provided'],
    ['unpacker error'],
    ['atomic push failure'],
  ])('may pass by itself: %s', (reason) => {
    expect(rejected(reason)).toBeNull();
  });

  it('may pass by itself when the host could not ask its own parts', () => {
    expect(rejected('pre-receive hook declined', 'GitLab: Internal API unreachable')).toBeNull();
  });

  it.each([
    ['ERROR: Permission to acme/app.git denied to town-bot.'],
    [
      "remote: Permission to acme/app.git denied to town-bot.\nfatal: unable to access 'https://x/': The requested URL returned error: 403",
    ],
    ['ERROR: The key you are authenticating with has been marked as read only.'],
    ['remote: You are not allowed to push code to this project.'],
    ["fatal: Authentication failed for 'https://git.example/app.git/'"],
  ])('has no right: %s', (stderr) => {
    expect(failed(stderr)).not.toBeNull();
  });

  it.each([
    ['ssh: connect to host git.example port 22: Connection refused'],
    ["fatal: unable to access 'https://x/': Could not resolve host: x"],
    ['The time to push it is over; it was not begun.'],
    [''],
  ])('is trouble on the way: %s', (stderr) => {
    expect(failed(stderr)).toBeNull();
  });

  it('is no refusal when its expected old value was wrong: that is a lost race', () => {
    const stdout = '!\tabc:refs/heads/main\t[rejected] (stale info)\nDone';
    expect(refusalOf({ stdout, stderr: 'error: failed to push some refs' })).toBeNull();
  });
});
