/** A file that could not be had: the message says from where, and why. */
export class DownloadError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'DownloadError'
  }
}

/** A try that failed as the next one need not: the line was cut, or the server is busy. */
export class LineError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'LineError'
  }
}
