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

export function verdictPattern(
  context: CanvasRenderingContext2D,
  verdict: Unproven,
  palette: Palette,
): CanvasPattern | null {
  const tile = document.createElement('canvas');
  tile.width = TILE_PX;
  tile.height = TILE_PX;
  const drawing = tile.getContext('2d');
  if (drawing === null) return null;
  drawing.strokeStyle = palette[verdict];
  drawing.lineWidth = 1.2;
  drawing.beginPath();
  STROKES[verdict](drawing);
  drawing.stroke();
  return context.createPattern(tile, 'repeat');
}
