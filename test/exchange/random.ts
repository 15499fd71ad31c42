/** Integer mixing (the finaliser of MurmurHash3): every bit of the input affects every bit of the result. */
function mix(value: number): number {
  let bits = value | 0;
  bits = Math.imul(bits ^ (bits >>> 16), 0x85ebca6b);
  bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35);
  return (bits ^ (bits >>> 16)) >>> 0;
}

/** A 32-bit hash of whole numbers below 2^53. */
export function hashNumbers(...numbers: readonly number[]): number {
  let state = 0x9e3779b9;
  for (const number of numbers) {
    state = mix(state ^ (number >>> 0));
    state = mix((state + 0x6d2b79f5) ^ Math.floor(number / 4294967296));
  }
  return state;
}

export function hashText(text: string): number {
  let state = 0x811c9dc5;
  for (let index = 0; index < text.length; index++)
    state = Math.imul(state ^ text.charCodeAt(index), 0x01000193);
  return state >>> 0;
}

/** In [0, 1), the same for the same numbers on every machine. */
export function uniformOf(...numbers: readonly number[]): number {
  return hashNumbers(...numbers) / 4294967296;
}

/** A seeded sequence in [0, 1) (mulberry32). */
export function uniformSequence(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let bits = Math.imul(state ^ (state >>> 15), 1 | state);
    bits = (bits + Math.imul(bits ^ (bits >>> 7), 61 | bits)) ^ bits;
    return ((bits ^ (bits >>> 14)) >>> 0) / 4294967296;
  };
}
