import type { StoredDType } from '../dtype.js'

/** torch's dtypes and ours; those without one can be named, but no tensor can have them. */
export const TORCH_DTYPES: Readonly<Record<string, StoredDType | null>> = {
  float64: 'F64',
  double: 'F64',
  float32: 'F32',
  float: 'F32',
  float16: 'F16',
  half: 'F16',
  bfloat16: 'BF16',
  float8_e4m3fn: 'F8_E4M3',
  float8_e5m2: 'F8_E5M2',
  int64: 'I64',
  long: 'I64',
  int32: 'I32',
  int: 'I32',
  int16: 'I16',
  short: 'I16',
  int8: 'I8',
  uint64: 'U64',
  uint32: 'U32',
  uint16: 'U16',
  uint8: 'U8',
  bool: 'BOOL',
  float8_e4m3fnuz: null,
  float8_e5m2fnuz: null,
  float8_e8m0fnu: null,
  float4_e2m1fn_x2: null,
  qint8: null,
  quint8: null,
  qint32: null,
  complex32: null,
  complex64: null,
  complex128: null,
}

/** The dtype that a `torch.float16` names, null where we have none, undefined where it is no dtype. */
export function dtypeNamed(value: unknown): StoredDType | null | undefined {
  const name = typeof value === 'string' && value.startsWith('torch.') ? value.slice('torch.'.length) : ''
  return Object.hasOwn(TORCH_DTYPES, name) ? TORCH_DTYPES[name] : undefined
}
