import * as fc from 'fast-check'
import { test } from 'vitest'
import { plainReason } from './plain-reason.ts'

const PLACE = '/onnxruntime_src/onnxruntime/core/providers/webgpu/webgpu_context.cc:136'

test.for([
  {
    message: `${PLACE} onnxruntime::webgpu::WebGpuContext::Initialize(const Config&)::<lambda()> status == Success was false. Failed to get a WebGPU adapter: No supported adapters\n`,
    printed: 'Warning: vkCreateInstance: Found no drivers!',
    reason: 'Failed to get a WebGPU adapter: No supported adapters',
  },
  {
    message: 'OrtSessionOptionsAppendExecutionProvider_Cuda: Failed to load shared library',
    printed:
      'Failed to load library /ort/libonnxruntime_providers_cuda.so with error: libcudnn.so.9: cannot open shared object file: No such file or directory',
    reason: 'libcudnn.so.9 cannot be loaded',
  },
  { message: '', printed: '', reason: 'it failed without saying why' },
])('of "$message" remains "$reason"', ({ message, printed, reason }, { expect }) => {
  expect(plainReason(message, printed)).toBe(reason)
})

test('a reason is one short line whatever the library says', ({ expect }) => {
  fc.assert(
    fc.property(fc.string({ maxLength: 600, unit: 'grapheme' }), fc.string(), (message, printed) => {
      const reason = plainReason(message, printed)
      expect(reason).not.toMatch(/\n/)
      expect(reason.length).toBeGreaterThan(0)
      expect(reason.length).toBeLessThan(260)
    }),
  )
})
