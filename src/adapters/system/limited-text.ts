/**
 * The text of a body that should be short; reading stops where it is not.
 * @throws Error when it has more bytes
 */
export async function limitedText(
  body: AsyncIterable<Uint8Array>,
  mostBytes: number,
): Promise<string> {
  const pieces: Uint8Array[] = [];
  let bytes = 0;
  for await (const piece of body) {
    bytes += piece.length;
    // Leaving the loop ends the stream.
    if (bytes > mostBytes) throw new Error(`the answer has more than ${mostBytes} bytes`);
    pieces.push(piece);
  }
  return Buffer.concat(pieces).toString('utf8');
}
