import type { EmbeddedAnswers } from '../../page/data/embedded-source.ts';
import { embeddedKey } from '../../page/data/embedded-source.ts';
import type { Answers, SeriesAnswer } from '../../page/data/answers.ts';
import { type FileView, fileQuestions } from '../../page/data/file-questions.ts';
import { queryText } from '../../page/data/query.ts';
import { viewQuery } from '../../page/view.ts';
import type { App } from '../compose.ts';

/**
 * The chart page with its answers in it, as one HTML file.
 * @param isPicture whether it is for a picture, which has no buttons
 * @throws CdvaultError of the questions
 */
export async function chartFile(
  app: Pick<App, 'openApi'>,
  view: FileView,
  isPicture: boolean,
): Promise<string> {
  const { bundlePage, pageFile } = await import('../../adapters/http/page.ts');
  const api = await app.openApi();
  try {
    const answers: Record<string, Answers[keyof Answers]> = {};
    const series = (await api.ask('/series', new URLSearchParams())) as SeriesAnswer;
    answers[embeddedKey('series', {})] = onlyShown(series, view);
    for (const { endpoint, query, key } of fileQuestions(view))
      answers[key] = (await api.ask(
        `/${endpoint}`,
        new URLSearchParams(queryText(query)),
      )) as Answers[keyof Answers];
    const data: { view: string; answers: EmbeddedAnswers; isPicture: boolean } = {
      view: viewQuery(view),
      answers,
      isPicture,
    };
    return pageFile(await bundlePage(), data);
  } finally {
    await api.close();
  }
}

/** The series of the view, as if nothing outside of its range were stored. */
function onlyShown({ series }: SeriesAnswer, view: FileView): SeriesAnswer {
  const shown = [view.series, ...view.overlays];
  return {
    series: series
      .filter((one) =>
        shown.some((wanted) => wanted.market === one.market && wanted.symbol === one.symbol),
      )
      .map((one) => ({
        ...one,
        from: Math.max(one.from, view.range.fromMs),
        to: Math.min(one.to, view.range.toMs),
      })),
  };
}
