/** `<64 hex>  <name>`, with or without a line feed, one space or two. */
const CHECKSUM = /^([0-9a-f]{64}) [ *]?(\S+)\s*$/i;

/** Whether the text of the exchange's .CHECKSUM has that file name and that SHA-256. */
export function isChecksumOf(text: string, fileName: string, sha256: string): boolean {
  const [, hex, name] = CHECKSUM.exec(text) ?? [];
  return hex?.toLowerCase() === sha256 && name === fileName;
}
