import { describe, expect, test } from 'vitest';
import { checkActivity } from '#simulators/teams/check-activity.ts';
import { activityOf, composeParts, type TeamsPart } from './compose-parts.ts';

const texts = { sources: 'Sources', files: 'Files' };
const compose = (
  text: string,
  content: Record<string, unknown> = {},
  files: { name: string; url: string }[] = [],
) => composeParts({ text, content }, files, texts);

/** As strict as Teams, and with its bound. */
function assertTaken(parts: readonly TeamsPart[]): void {
  for (const part of parts) {
    const activity = activityOf(part);
    expect(() => checkActivity(activity, JSON.stringify(activity))).not.toThrow();
  }
}

describe('a message', () => {
  test('shows its text, then the places that it rests on', () => {
    const sources = [
      { title: 'Hand*book*', url: 'https://a.example/h' },
      { title: 'No link', url: 'javascript:alert(1)' },
      { title: '' },
      'nonsense',
    ];
    expect(compose('Hello.', { sources })).toEqual([
      {
        text: 'Hello.\n\n**Sources**\n\n1. [Hand\\*book\\*](https://a.example/h)\n2. No link',
        attachments: [],
      },
    ]);
  });

  test('of files alone names them', () => {
    expect(compose('', {}, [{ name: 'a [b].txt', url: 'https://a.example/files/x' }])[0]?.text).toBe(
      '**Files**\n\n- [a \\[b\\].txt](https://a.example/files/x)',
    );
  });

  test('of buttons alone is a card alone', () => {
    const parts = compose('', { buttons: [{ label: 'Go', value: 'go' }] });
    expect(parts).toHaveLength(1);
    expect(parts[0]?.text).toBe('');
    assertTaken(parts);
  });

  test('has its buttons below the last of its parts', () => {
    const parts = compose('word '.repeat(10_000), { buttons: [{ label: 'Go', value: 'go' }] });
    expect(parts.length).toBeGreaterThan(2);
    expect(parts.map(({ attachments }) => attachments.length)).toEqual([...parts.slice(1).map(() => 0), 1]);
    assertTaken(parts);
  });
});

describe('buttons', () => {
  test('that Teams cannot hold are left out, and a long label is shortened', () => {
    const buttons = [
      { label: 'x'.repeat(200), value: 'ok' },
      { label: 'too long', value: 'x'.repeat(1_001) },
      { label: '', value: 'nameless' },
      { label: 'no value' },
      7,
      ...Array.from({ length: 30 }, (_, index) => ({ label: `Button ${index}`, value: `v${index}` })),
    ];
    const parts = compose('Choose', { buttons });
    const json = JSON.stringify(parts[0]?.attachments);
    expect(json.split('"Action.Execute"')).toHaveLength(13);
    expect(json).toContain(`${'x'.repeat(79)}…`);
    for (const gone of ['too long', 'nameless', 'no value']) expect(json).not.toContain(gone);
    assertTaken(parts);
  });

  test('as large as they may be stay within what Teams takes, beside a long text or by themselves', () => {
    const buttons = Array.from({ length: 12 }, () => ({ label: '"'.repeat(80), value: '"'.repeat(1_000) }));
    const parts = compose('"<&'.repeat(6_000), { buttons });
    expect(parts.at(-1)?.attachments).toHaveLength(1);
    for (const part of parts) expect(JSON.stringify(activityOf(part)).length * 2).toBeLessThan(100 * 1_024);
    assertTaken(parts);
  });
});

test('text that grows most when it is escaped stays within 100 KB of UTF-16', () => {
  for (const text of [
    '<'.repeat(90_000),
    '\\\\'.repeat(40_000),
    '"'.repeat(90_000),
    '\u0001😀'.repeat(30_000),
  ]) {
    const parts = compose(text);
    for (const part of parts) expect(JSON.stringify(activityOf(part)).length * 2).toBeLessThan(100 * 1_024);
    assertTaken(parts);
  }
});
