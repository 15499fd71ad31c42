/** Codes of Node.js and OpenSSL for a certificate that is not accepted. */
const CERTIFICATE =
  /^(UNABLE_TO_|SELF_SIGNED_|DEPTH_ZERO_|CERT_|ERR_TLS_CERT_|INVALID_CA|HOSTNAME_)/;
const NO_TLS = new Set(['ERR_SSL_WRONG_VERSION_NUMBER', 'ERR_SSL_PACKET_LENGTH_TOO_LONG']);

/**
 * What to do when a connection failed for a reason of TLS; undefined for other reasons.
 * @param name variable with the URL
 */
export function tlsAdvice(error: unknown, name: string): string | undefined {
  for (let at = error; at instanceof Error; at = at.cause) {
    const code = 'code' in at ? String(at.code) : '';
    if (CERTIFICATE.test(code))
      return `The certificate is not trusted, or is for another host. Check the host in ${name}; for a CA of your own, name the file of its certificate in NODE_EXTRA_CA_CERTS.`;
    if (NO_TLS.has(code))
      return `The server at that port speaks no TLS. Check the port in ${name}.`;
  }
  return undefined;
}
