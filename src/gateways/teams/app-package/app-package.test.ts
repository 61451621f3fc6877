import { inflateSync } from 'node:zlib';
import { unzipSync } from 'fflate';
import { describe, expect, test } from 'vitest';
import { teamsAppPackage } from './app-package.ts';

const options = {
  ...{ name: 'Acme', appId: '11111111-2222-3333-4444-555555555555', publicUrl: 'https://chat.acme.example' },
  ...{ hearsAll: false, version: '1.0.0' },
};
const read = (given: Partial<typeof options> = {}) => {
  const files = unzipSync(teamsAppPackage({ ...options, ...given }));
  return { files, manifest: JSON.parse(Buffer.from(files['manifest.json'] ?? []).toString()) };
};

describe('the package', () => {
  test('holds the manifest and the icons that it names, at its root', () => {
    const { files, manifest } = read();
    expect(Object.keys(files).toSorted()).toEqual(['color.png', 'manifest.json', 'outline.png']);
    expect(manifest).toMatchObject({
      id: options.appId,
      icons: { color: 'color.png', outline: 'outline.png' },
      bots: [{ botId: options.appId, scopes: ['personal', 'team', 'groupChat'], supportsFiles: true }],
      validDomains: ['chat.acme.example'],
    });
    expect(manifest).not.toHaveProperty('authorization');
  });

  test('asks for what does not mention the bot only where that is wanted', () => {
    const { manifest } = read({ hearsAll: true });
    expect(
      manifest.authorization.permissions.resourceSpecific.map(({ name }: { name: string }) => name),
    ).toEqual(['ChannelMessage.Read.Group', 'ChatMessage.Read.Chat']);
  });

  test('is the same each time', () => {
    expect(Buffer.from(teamsAppPackage(options)).equals(Buffer.from(teamsAppPackage(options)))).toBe(true);
  });

  test.each([
    ['color.png', 192, false],
    ['outline.png', 32, true],
  ])('%s is a PNG of %i pixels', (name, size, isWhiteOrNothing) => {
    const bytes = Buffer.from(read().files[name] ?? []);
    expect(bytes.subarray(1, 4).toString()).toBe('PNG');
    expect([bytes.readUInt32BE(16), bytes.readUInt32BE(20)]).toEqual([size, size]);
    const dataLength = bytes.readUInt32BE(33);
    expect(bytes.subarray(37, 41).toString()).toBe('IDAT');
    const rows = inflateSync(bytes.subarray(41, 41 + dataLength));
    expect(rows).toHaveLength(size * (1 + size * 4));
    const alphas = new Set<number>();
    const colours = new Set<string>();
    for (let y = 0; y < size; y++)
      for (let x = 0; x < size; x++) {
        const at = y * (1 + size * 4) + 1 + x * 4;
        alphas.add(rows[at + 3] ?? -1);
        colours.add([...rows.subarray(at, at + 3)].join());
      }
    // Teams wants an outline of white on nothing, and no hole in the colours.
    expect([...alphas].toSorted((a, b) => a - b)).toEqual(isWhiteOrNothing ? [0, 255] : [255]);
    if (isWhiteOrNothing) expect([...colours]).toEqual(['255,255,255']);
  });
});
