import { X509Certificate } from 'node:crypto'
import { openAuthority } from '../../alb/tls/authority.ts'
import { tlsFolder } from '../../core/parts/balancer.ts'
import type { CommandContext } from '../command.ts'

/** Prints where the user's certificate authority is and what would make programs trust it. Touches no trust store. */
export async function run({ settings, clock, terminal, options }: CommandContext): Promise<number> {
  const { cert, certFile } = await openAuthority(tlsFolder(settings.cacheDir), clock)
  const text = options['file'] === true ? certFile : describe(certFile, new X509Certificate(cert))
  terminal.stdout.write(`${text}\n`)
  return 0
}

function describe(file: string, { fingerprint256, validTo }: X509Certificate): string {
  const quoted = `'${file.replaceAll("'", String.raw`'\''`)}'`
  return [
    `authority    ${file}`,
    `fingerprint  ${fingerprint256}`,
    `until        ${new Date(validTo).toISOString().slice(0, 10)}`,
    '',
    'It was made on this machine, and its key never leaves it. Whoever can read the key can pretend to be any server to whatever',
    'trusts the authority: trust it on machines for development only. Nothing has been changed. What trusts it is up to you:',
    '',
    'One program at a time',
    `  curl      curl --cacert ${quoted} https://api.localhost:8443/`,
    `  Node      export NODE_EXTRA_CA_CERTS=${quoted}`,
    `  Python    export SSL_CERT_FILE=${quoted} REQUESTS_CA_BUNDLE=${quoted}`,
    '  Firefox   Settings, Certificates, Authorities, Import',
    '',
    ...stepsOf(process.platform, quoted),
  ].join('\n')
}

const NAME = 'aldea-local-ca'

/** How the whole machine, or its user, comes to trust it, and how that is undone. */
function stepsOf(platform: string, file: string): string[] {
  switch (platform) {
    case 'darwin':
      return [
        'All programs of this user',
        `  security add-trusted-cert -r trustRoot -k ~/Library/Keychains/login.keychain-db ${file}`,
        'To undo that',
        `  security remove-trusted-cert ${file}`,
      ]
    case 'win32':
      return [
        'All programs of this user',
        `  certutil -user -addstore Root "${file.slice(1, -1)}"`,
        'To undo that',
        '  certutil -user -delstore Root "aldea-local development CA"',
      ]
    default:
      return [
        'All programs of this machine, on Debian and Ubuntu',
        `  sudo cp ${file} /usr/local/share/ca-certificates/${NAME}.crt && sudo update-ca-certificates`,
        'On Fedora and Red Hat',
        `  sudo cp ${file} /etc/pki/ca-trust/source/anchors/${NAME}.pem && sudo update-ca-trust`,
        'Chromium, which has a store of its own',
        `  certutil -d sql:$HOME/.pki/nssdb -A -t C,, -n ${NAME} -i ${file}`,
        'To undo that',
        `  sudo rm -f /usr/local/share/ca-certificates/${NAME}.crt && sudo update-ca-certificates --fresh`,
        `  sudo rm -f /etc/pki/ca-trust/source/anchors/${NAME}.pem && sudo update-ca-trust`,
        `  certutil -d sql:$HOME/.pki/nssdb -D -n ${NAME}`,
      ]
  }
}
