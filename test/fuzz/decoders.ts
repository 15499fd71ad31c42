import { archiveDecoders } from './archive-decoders.ts';
import type { Decoder } from './decoder.ts';
import { exportDecoders } from './export-decoders.ts';
import { queryDecoders } from './query-decoders.ts';
import { restDecoders } from './rest-decoders.ts';

export const DECODERS: readonly Decoder[] = [
  ...restDecoders,
  ...archiveDecoders,
  ...exportDecoders,
  ...queryDecoders,
];
