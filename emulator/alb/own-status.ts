/** What the balancer answers itself, and the titles it does so with (aws-behaviour §1.13). */
export const TITLES = {
  400: 'Bad Request',
  401: 'Authorization Required',
  403: 'Forbidden',
  405: 'Not Allowed',
  408: 'Request Time-out',
  413: 'Request Entity Too Large',
  414: 'Request-URI Too Large',
  500: 'Internal Server Error',
  501: 'Not Implemented',
  502: 'Bad Gateway',
  503: 'Service Temporarily Unavailable',
  504: 'Gateway Time-out',
  /** Nobody has shown a page for it. */
  463: '',
  505: 'HTTP Version Not Supported',
} as const

export type OwnStatus = keyof typeof TITLES
