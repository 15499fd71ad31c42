/**
 * One hash over the contents of many hours: the Merkle Tree Hash of RFC 6962 over one line of text for
 * each hour. Equal roots mean equal trades; docs/fingerprint.md describes the format.
 */

import { createHash } from 'node:crypto';
import { CdvaultError } from '../errors.ts';
import type { Series } from '../market.ts';

/** Part of every leaf, so that roots of different formats are never equal by accident. */
export const FINGERPRINT_FORMAT = 'cdvault-fingerprint-1';

/** The content of one hour of a series. */
export interface HourContent {
  readonly hourMs: number;
  readonly rows: number;
  /** Hex, see content-hash.ts. */
  readonly contentHash: string;
}

export interface FingerprintLeaf extends HourContent {
  /** Hex. */
  readonly leaf: string;
}

export interface Fingerprint extends Series {
  /** Oldest first. */
  readonly leaves: readonly FingerprintLeaf[];
  /** Hex. */
  readonly root: string;
}

/** @param hours in any order, each once, at least one */
export function fingerprintOf(series: Series, hours: readonly HourContent[]): Fingerprint {
  const sorted = hours.toSorted((left, right) => left.hourMs - right.hourMs);
  const leaves = sorted.map(({ hourMs, rows, contentHash }) => ({
    hourMs,
    rows,
    contentHash,
    leaf: leafHash(leafLine(series, { hourMs, rows, contentHash })).toString('hex'),
  }));
  const root = rootOf(leaves.map(({ leaf }) => Buffer.from(leaf, 'hex')));
  const { market, symbol } = series;
  return { market, symbol, leaves, root: root.toString('hex') };
}

/** Starts of the hours that differ or are in one of the two only; oldest first. */
export function differingHours(left: Fingerprint, right: Fingerprint): number[] {
  const [ours, theirs] = [leafByHour(left), leafByHour(right)];
  return [...new Set([...ours.keys(), ...theirs.keys()])]
    .filter((hourMs) => ours.get(hourMs) !== theirs.get(hourMs))
    .toSorted((first, second) => first - second);
}

function leafByHour({ leaves }: Fingerprint): Map<number, string> {
  return new Map(leaves.map(({ hourMs, leaf }) => [hourMs, leaf]));
}

/** 2024-01-01T10:00:00Z: the form that is hashed and written. */
export function fingerprintHour(hourMs: number): string {
  return new Date(hourMs).toISOString().replace('.000Z', 'Z');
}

function leafLine({ market, symbol }: Series, { hourMs, rows, contentHash }: HourContent): string {
  return `${FINGERPRINT_FORMAT} ${market} ${symbol} ${fingerprintHour(hourMs)} ${rows} ${contentHash}`;
}

/** The first byte tells leaves from nodes, so that no node can be taken for an hour. */
const LEAF = Uint8Array.of(0);
const NODE = Uint8Array.of(1);

function leafHash(line: string): Buffer {
  return createHash('sha256').update(LEAF).update(line).digest();
}

function nodeHash(left: Buffer, right: Buffer): Buffer {
  return createHash('sha256').update(NODE).update(left).update(right).digest();
}

/** Computed level by level; a node without a partner moves up unchanged. */
function rootOf(leaves: readonly Buffer[]): Buffer {
  let level = leaves;
  while (level.length > 1) level = parentsOf(level);
  const [root] = level;
  if (root === undefined) throw new CdvaultError('INTERNAL', 'a fingerprint of no hours');
  return root;
}

function parentsOf(level: readonly Buffer[]): Buffer[] {
  const parents: Buffer[] = [];
  for (let index = 0; index < level.length; index += 2) {
    const [left, right] = level.slice(index, index + 2);
    if (left !== undefined) parents.push(right === undefined ? left : nodeHash(left, right));
  }
  return parents;
}
