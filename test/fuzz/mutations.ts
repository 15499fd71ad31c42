/** Seeded damage to bytes: what a broken disk, a careless proxy or a hostile host could make of a valid input. */

export type Random = () => number;

export function below(random: Random, bound: number): number {
  return Math.floor(random() * bound);
}

export function pick<T>(random: Random, from: readonly T[]): T {
  const found = from[below(random, from.length)];
  if (found === undefined) throw new RangeError('nothing to pick from');
  return found;
}

type Mutation = (bytes: Buffer, random: Random, samples: readonly Buffer[]) => Buffer;

const HUGE = [
  '0',
  '-0',
  '-1',
  '-2',
  '00',
  '1e999',
  '1e-7',
  '1e21',
  '0.1',
  '9007199254740992',
  '9007199254740993',
  '18446744073709551616',
  '99999999999999999999999999999999',
  '4294967295',
  '-9223372036854775808',
  '"1"',
  'null',
  'NaN',
];
const TEXTS = [
  '',
  '\0',
  '"',
  "'",
  '\\',
  '\r\n',
  '\n\n',
  '../../',
  '%00',
  '&amp;',
  '&#0;',
  '<![CDATA[',
  '<!DOCTYPE x [<!ENTITY a "b">]>',
  '__proto__',
  'constructor',
  '\uFEFF',
  '\u202E',
  'ı',
  ' ',
  ',,,,,,,,',
];
const LITTLE_ENDIAN = [0, 1, 0x7f, 0x80, 0xff, 0xffff, 0x7fffffff, 0x80000000, 0xffffffff];

/** Deeper than a recursive function gets on the stack of Node.js. */
const DEEPEST = 20_000;

const MUTATIONS: readonly Mutation[] = [
  function flipBit(bytes, random) {
    const copy = Buffer.from(bytes);
    const at = below(random, copy.length);
    copy[at] = (copy[at] ?? 0) ^ (1 << below(random, 8));
    return copy;
  },
  function setByte(bytes, random) {
    const copy = Buffer.from(bytes);
    copy[below(random, copy.length)] = below(random, 256);
    return copy;
  },
  function truncate(bytes, random) {
    return bytes.subarray(0, below(random, bytes.length + 1));
  },
  function cutOut(bytes, random) {
    const from = below(random, bytes.length);
    return splice(bytes, from, below(random, 40), Buffer.alloc(0));
  },
  function repeatPart(bytes, random) {
    const from = below(random, bytes.length);
    const part = bytes.subarray(from, from + 1 + below(random, 60));
    const times = 1 + below(random, random() < 0.02 ? 2_000 : 4);
    return splice(bytes, from, 0, Buffer.concat(Array.from({ length: times }, () => part)));
  },
  function spliceSample(bytes, random, samples) {
    const other = pick(random, samples);
    const from = below(random, other.length);
    const part = other.subarray(from, from + 1 + below(random, 200));
    return splice(bytes, below(random, bytes.length), below(random, 200), part);
  },
  function replaceNumber(bytes, random) {
    const text = bytes.toString('latin1');
    const numbers = [...text.matchAll(/-?\d+(?:\.\d+)?/g)];
    if (numbers.length === 0) return bytes;
    const found = pick(random, numbers);
    const value = random() < 0.7 ? pick(random, HUGE) : String(below(random, 1e6));
    return splice(bytes, found.index, found[0].length, Buffer.from(value));
  },
  function insertText(bytes, random) {
    return splice(bytes, below(random, bytes.length), 0, Buffer.from(pick(random, TEXTS)));
  },
  function repeatKey(bytes, random) {
    const text = bytes.toString('latin1');
    const keys = [...text.matchAll(/"\w+":/g)];
    if (keys.length === 0) return bytes;
    const found = pick(random, keys);
    const again = `${found[0]}${pick(random, HUGE)},`;
    return splice(bytes, found.index, 0, Buffer.from(again));
  },
  function nest(bytes, random) {
    const depth = random() < 0.05 ? DEEPEST : 1 + below(random, 30);
    const [open, close] = pick(random, [
      ['[', ']'],
      ['{"a":', '}'],
      ['<a>', '</a>'],
    ] as const);
    const from = below(random, bytes.length);
    const part = bytes.subarray(from, from + below(random, 30));
    const nested = open.repeat(depth) + part.toString('latin1') + close.repeat(depth);
    return splice(bytes, from, part.length, Buffer.from(nested, 'latin1'));
  },
  function setInteger(bytes, random) {
    if (bytes.length < 4) return bytes;
    const copy = Buffer.from(bytes);
    copy.writeUInt32LE(pick(random, LITTLE_ENDIAN), below(random, copy.length - 3));
    return copy;
  },
  function otherEncoding(bytes, random) {
    const text = bytes.toString('utf8');
    const to = pick(random, ['utf16le', 'latin1', 'base64', 'utf8 with mark'] as const);
    return to === 'utf8 with mark' ? Buffer.from(`\uFEFF${text}`) : Buffer.from(text, to);
  },
  function swapParts(bytes, random) {
    const [one, two] = [below(random, bytes.length), below(random, bytes.length)];
    const [from, to] = [Math.min(one, two), Math.max(one, two)];
    return Buffer.concat([bytes.subarray(0, from), bytes.subarray(to), bytes.subarray(from, to)]);
  },
];

function splice(bytes: Buffer, from: number, deleted: number, inserted: Buffer): Buffer {
  return Buffer.concat([bytes.subarray(0, from), inserted, bytes.subarray(from + deleted)]);
}

const MOST_MUTATIONS = 4;
const NOISE_SHARE = 0.03;
const MOST_NOISE_BYTES = 300;

/** A valid input with one to four mutations, or noise. */
export function mutated(samples: readonly Buffer[], random: Random): Buffer {
  if (random() < NOISE_SHARE)
    return Buffer.from(
      Array.from({ length: below(random, MOST_NOISE_BYTES) }, () => below(random, 256)),
    );
  let bytes = pick(random, samples);
  const count = 1 + below(random, MOST_MUTATIONS);
  for (let done = 0; done < count && bytes.length > 0; done += 1)
    bytes = pick(random, MUTATIONS)(bytes, random, samples);
  return bytes;
}
