import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';

export interface Certificates {
  /** Files. */
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
  /** The content of the last two. */
  readonly pem: { readonly cert: Buffer; readonly key: Buffer };
}

/** A CA of its own, and a certificate by it for this machine's loopback address. */
export function makeCertificates(folder: string): Certificates {
  const at = (name: string) => path.join(folder, name);
  const openssl = (...args: readonly string[]) =>
    execFileSync('openssl', args, { stdio: ['ignore', 'ignore', 'pipe'] });
  const ec = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  const subject = (name: string) => ['-subj', `/CN=${name}`];
  openssl(
    'req',
    '-x509',
    ...ec,
    ...subject('Test CA'),
    '-days',
    '2',
    '-keyout',
    at('ca.key'),
    '-out',
    at('ca.pem'),
  );
  openssl(
    'req',
    ...ec,
    ...subject('localhost'),
    '-keyout',
    at('server.key'),
    '-out',
    at('server.csr'),
  );
  writeFileSync(at('san'), 'subjectAltName=IP:127.0.0.1,DNS:localhost\n');
  const by = [
    '-CA',
    at('ca.pem'),
    '-CAkey',
    at('ca.key'),
    '-CAcreateserial',
    '-extfile',
    at('san'),
  ];
  openssl('x509', '-req', '-in', at('server.csr'), ...by, '-days', '2', '-out', at('server.pem'));
  const [cert, key] = [at('server.pem'), at('server.key')];
  return { ca: at('ca.pem'), cert, key, pem: { cert: readFileSync(cert), key: readFileSync(key) } };
}
