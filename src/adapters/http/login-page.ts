import { html } from 'hono/html';

/** What a browser shows after a login link: that it did not work, that this is unknown, or the way on. */
type Outcome = 'refused' | 'unknown' | { readonly goTo: string };

export function loginPage(outcome: Outcome): ReturnType<typeof html> {
  if (typeof outcome === 'object')
    return page(
      'Logged in',
      html`<meta http-equiv="refresh" content="0; url=${outcome.goTo}" />`,
      html`<p><a href="${outcome.goTo}">Go on</a></p>`,
    );
  return page(
    outcome === 'refused' ? 'This link does not work' : 'This link could not be checked',
    '',
    outcome === 'refused' ? REFUSED : UNKNOWN,
  );
}

const REFUSED = html`<p>
    A login link works once, within ten minutes. This one was used, is too old, or is incomplete.
  </p>
  <p>
    For a new link, run <code>cdvault chart BTCUSDT --from 2024-01-01</code> with your symbol and
    day, in the folder and with the <code>CDVAULT_HOME</code> of this server. Or
    <a href="/">log in with the user name and the password</a>, if you have set one.
  </p>`;

const UNKNOWN = html`<p>
    Redis does not answer, so that no link can be checked. The log of <code>serve</code> has the
    error.
  </p>
  <p>Try the link again later, or <a href="/">log in with the user name and the password</a>.</p>`;

type Part = ReturnType<typeof html> | '';

function page(title: string, head: Part, body: Part): ReturnType<typeof html> {
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width" />
        <title>cdvault: ${title}</title>
        ${head}
      </head>
      <body>
        <h1>${title}</h1>
        ${body}
      </body>
    </html> `;
}
