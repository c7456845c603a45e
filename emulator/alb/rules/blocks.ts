import { BlockList, isIP } from 'node:net'

/** A block of addresses: `10.0.0.0/8`, `2001:db8::/32`. */
export interface Block {
  readonly address: string
  readonly family: 'ipv4' | 'ipv6'
  /** Length of the prefix in bits. */
  readonly prefix: number
}

/** Undefined for what is no CIDR block. */
export function toBlock(text: string): Block | undefined {
  const [, address = '', length = ''] = /^([0-9A-Fa-f.:]+)\/(\d{1,3})$/.exec(text) ?? []
  const version = isIP(address)
  const prefix = Number(length)
  if (version === 0 || prefix > (version === 4 ? 32 : 128)) return undefined
  return { address, family: version === 4 ? 'ipv4' : 'ipv6', prefix }
}

/** A test for an address in one of the blocks; what is no address is in none. */
export function compileBlocks(values: readonly string[]): (address: string) => boolean {
  const blocks = new BlockList()
  for (const value of values) {
    const block = toBlock(value)
    if (block) blocks.addSubnet(block.address, block.prefix, block.family)
  }
  const contains = (address: string): boolean => {
    const version = isIP(address)
    return version !== 0 && blocks.check(address, version === 4 ? 'ipv4' : 'ipv6')
  }
  // A check costs as much as twenty other conditions, and one client sends many requests.
  let latest = ''
  let isInside = false
  return (address) => {
    if (address === latest) return isInside
    isInside = contains(address)
    latest = address
    return isInside
  }
}
