import type { ReactNode } from 'react';
import type { WhyItem } from '../../src/api/contract/common.ts';
import { part } from './api.ts';
import { Age, Asked, Facts, StateWord } from './parts.tsx';

export const WhyText = ({ why }: { readonly why: WhyItem }): ReactNode => (
  <>
    <p className="mb-2">{why.sentence}</p>
    <Facts
      of={[
        ['State', <StateWord key="state" word={why.state} />],
        ['Rule', <code key="rule">{why.rule}</code>],
        ['Since', <Age key="since" at={why.since} />],
        ['Then', why.next],
        ['Command', why.command === null ? null : <code key="command">{why.command}</code>],
      ]}
    />
  </>
);

/** What it waits for, by which rule, and what changes that. */
export const Why = ({ id }: { readonly id: string }): ReactNode => (
  <Asked<WhyItem> name={['bead', 'why', id]} path={`why/${part(id)}`}>
    {(why) => <WhyText why={why} />}
  </Asked>
);
