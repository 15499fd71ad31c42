// A Node builtin, allowed in the domain: hashing is arithmetic, not input or output.
import { createHash } from 'node:crypto';
import { type AggTrade, canonicalLine } from './agg-trade.ts';
import type { TradeBlock } from './trade-block.ts';

/** SHA-256 over the canonical lines of a run of trades. */
export interface ContentHasher {
  /** Trades in id order. */
  update(trade: AggTrade): void;
  /** The same as update() for the rows `[from, to)` of a block. */
  updateBlock(block: TradeBlock, from: number, to: number): void;
  /** Hex; ends the hash. */
  digest(): string;
}

/** Lines are hashed in pieces of this size: one call per line would take longer than the hash itself. */
const PIECE_CHARS = 64 * 1024;

/** The longest canonical line is about 150 bytes. */
const LINE_BYTES = 200;

export function contentHasher(): ContentHasher {
  const hash = createHash('sha256');
  let piece = '';
  let lines: Uint8Array | undefined;
  return {
    update(trade) {
      piece += canonicalLine(trade);
      if (piece.length >= PIECE_CHARS) {
        hash.update(piece);
        piece = '';
      }
    },
    updateBlock(block, from, to) {
      hash.update(piece);
      piece = '';
      lines ??= new Uint8Array(PIECE_CHARS);
      let at = 0;
      for (let row = from; row < to; row += 1) {
        at = block.copyCanonical(row, lines, at);
        if (at < PIECE_CHARS - LINE_BYTES) continue;
        hash.update(lines.subarray(0, at));
        at = 0;
      }
      hash.update(lines.subarray(0, at));
    },
    digest: () => hash.update(piece).digest('hex'),
  };
}
