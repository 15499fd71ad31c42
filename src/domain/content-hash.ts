// The one Node builtin that the domain uses: hashing is arithmetic, not input or output.
import { createHash } from 'node:crypto';
import { type AggTrade, canonicalLine } from './agg-trade.ts';

/** SHA-256 over the canonical lines of a run of trades. */
export interface ContentHasher {
  /** Trades in id order. */
  update(trade: AggTrade): void;
  /** Hex; ends the hash. */
  digest(): string;
}

/** Lines are handed over in pieces of this size: one call per line would cost more than the hash. */
const PIECE_CHARS = 64 * 1024;

export function contentHasher(): ContentHasher {
  const hash = createHash('sha256');
  let piece = '';
  return {
    update(trade) {
      piece += canonicalLine(trade);
      if (piece.length >= PIECE_CHARS) {
        hash.update(piece);
        piece = '';
      }
    },
    digest: () => hash.update(piece).digest('hex'),
  };
}
