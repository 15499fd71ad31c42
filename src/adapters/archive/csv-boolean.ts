/** The bit that makes an ASCII letter lower-case. */
const LOWER_CASE = 32;
const LETTER_T = 116;
const LETTER_F = 102;
const RUE = [114, 117, 101];
const ALSE = [97, 108, 115, 101];

/** `True` or `true`. */
export function isTrueAt(bytes: Buffer, at: number): boolean {
  return ((bytes[at] ?? 0) | LOWER_CASE) === LETTER_T && isText(bytes, at + 1, RUE);
}

/** `False` or `false`. */
export function isFalseAt(bytes: Buffer, at: number): boolean {
  return ((bytes[at] ?? 0) | LOWER_CASE) === LETTER_F && isText(bytes, at + 1, ALSE);
}

function isText(bytes: Buffer, at: number, text: readonly number[]): boolean {
  return text.every((byte, index) => bytes[at + index] === byte);
}
