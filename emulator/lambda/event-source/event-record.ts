import type { MessageAttribute, SourceMessage } from '../../backends/queue/port.ts'

/** A message as one of the `Records` of an event, in JSON. Keys are in lower camel case, unlike in the API of SQS. */
export function recordOf(message: SourceMessage, sourceArn: string): string {
  const { messageId, receiptHandle, body, attributes, messageAttributes, md5OfBody, md5OfMessageAttributes } = message
  const named = Object.entries(messageAttributes).map(([name, value]) => [name, attributeOf(value)] as const)
  return JSON.stringify({
    messageId,
    receiptHandle,
    body,
    attributes,
    messageAttributes: Object.fromEntries(named),
    ...(md5OfMessageAttributes === undefined ? {} : { md5OfMessageAttributes }),
    md5OfBody,
    eventSource: 'aws:sqs',
    eventSourceARN: sourceArn,
    awsRegion: sourceArn.split(':')[3],
  })
}

function attributeOf({ dataType, stringValue, binaryValue }: MessageAttribute): Record<string, unknown> {
  return {
    ...(stringValue === undefined ? {} : { stringValue }),
    ...(binaryValue === undefined ? {} : { binaryValue: Buffer.from(binaryValue).toString('base64') }),
    stringListValues: [],
    binaryListValues: [],
    dataType,
  }
}
