import { describe, expect, it } from 'vitest';

import { recipeBlocks } from './recipe.ts';

describe('recipeBlocks', () => {
  it('takes the tagged blocks, in order, and no others', () => {
    const body =
      'Text\n```gt-script\none\n```\n```sh\nno\n```\n~~~gt-script extra words\ntwo\n\n  three\n~~~\n``` gt-script\nfour\n```\n';
    expect(recipeBlocks(body)).toEqual(['one\n', 'two\n\n  three\n', 'four\n']);
  });

  it('does not end a block at a shorter or other fence, nor begin one inside another', () => {
    expect(recipeBlocks('````gt-script\necho "```"\n```\n~~~\n````\n')).toEqual(['echo "```"\n```\n~~~\n']);
    expect(recipeBlocks('```text\n```gt-script\n```\nnot code\n')).toEqual([]);
    expect(recipeBlocks('~~~text\n```gt-script\nno\n```\n~~~\n')).toEqual([]);
  });

  it('reads a block that is not closed, Windows line ends, and nothing from an empty text', () => {
    expect(recipeBlocks('```gt-script\r\necho x\r\n')).toEqual(['echo x\n\n']);
    expect(recipeBlocks('')).toEqual([]);
    expect(recipeBlocks('```gt-scripts\nno\n```')).toEqual([]);
  });

  it('takes no mark that is indented like code, or in the middle of a line', () => {
    expect(recipeBlocks('   ```gt-script\none\n  ```\n')).toEqual(['one\n']);
    expect(recipeBlocks('    ```gt-script\nno\n    ```\n')).toEqual([]);
    expect(recipeBlocks('Write ```gt-script\nno\n```\n')).toEqual([]);
    expect(recipeBlocks('```gt-script\nsay ```\n```\n')).toEqual(['say ```\n']);
  });

  it('ends a block at a longer mark of the same kind only', () => {
    expect(recipeBlocks('```gt-script\none\n`````\nno\n')).toEqual(['one\n']);
    expect(recipeBlocks('```gt-script\none\n~~~~\ntwo\n```\n')).toEqual(['one\n~~~~\ntwo\n']);
    expect(recipeBlocks('```gt-script\none\n```sh\ntwo\n```\n')).toEqual(['one\n```sh\ntwo\n']);
  });

  it('stops at a hundred blocks', () => {
    expect(recipeBlocks('```gt-script\nx\n```\n'.repeat(101))).toHaveLength(100);
  });
});
