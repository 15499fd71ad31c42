/** `<64 hex>  <name>`, with or without a line feed, one space or two. */
const CHECKSUM = /^([0-9a-f]{64}) [ *]?(\S+)\s*$/i;

/** Whether the exchange's .CHECKSUM speaks of that file with that content. */
export function isChecksumOf(text: string, fileName: string, sha256: string): boolean {
  const [, hex, name] = CHECKSUM.exec(text) ?? [];
  return hex?.toLowerCase() === sha256 && name === fileName;
}
