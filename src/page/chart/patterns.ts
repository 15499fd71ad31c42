import type { Verdict } from '../data/answers.ts';
import type { Palette } from './palette.ts';

const TILE_PX = 8;

/** What is not proven has a pattern besides its colour, so that it can be told apart without colours. */
type Unproven = Exclude<Verdict, 'proven'>;

const STROKES: Readonly<Record<Unproven, (context: CanvasRenderingContext2D) => void>> = {
  // Two lines cross: something is missing.
  gap(context) {
    context.moveTo(-1, TILE_PX + 1);
    context.lineTo(TILE_PX + 1, -1);
    context.moveTo(-1, -1);
    context.lineTo(TILE_PX + 1, TILE_PX + 1);
  },
  open(context) {
    context.moveTo(-1, TILE_PX + 1);
    context.lineTo(TILE_PX + 1, -1);
  },
  unknown(context) {
    context.moveTo(1, 3);
    context.lineTo(3, 3);
    context.moveTo(5, 7);
    context.lineTo(7, 7);
  },
};

/** Drawn once for each verdict and colour: patterns are needed in each frame. */
const tiles = new Map<string, HTMLCanvasElement>();

export function verdictPattern(
  context: CanvasRenderingContext2D,
  verdict: Unproven,
  palette: Palette,
): CanvasPattern | null {
  const key = `${verdict} ${palette[verdict]}`;
  const tile = tiles.get(key) ?? drawTile(verdict, palette[verdict]);
  tiles.set(key, tile);
  return context.createPattern(tile, 'repeat');
}

function drawTile(verdict: Unproven, colour: string): HTMLCanvasElement {
  const tile = document.createElement('canvas');
  tile.width = TILE_PX;
  tile.height = TILE_PX;
  const context = tile.getContext('2d');
  if (context === null) return tile;
  context.strokeStyle = colour;
  context.lineWidth = 1.2;
  context.beginPath();
  STROKES[verdict](context);
  context.stroke();
  return tile;
}
