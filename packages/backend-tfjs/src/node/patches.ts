/** A change to a source file of the binding, made in a copy as it is built. */
export interface Patch {
  readonly file: string
  readonly reason: string
  /** Must occur exactly once. */
  readonly after: string
  readonly insert: string
}

/** Changes that the binding of tfjs-node 4.22 is built with. All versions of TensorFlow that were tried compile without. */
export const PATCHES: readonly Patch[] = [
  {
    file: 'tfjs_backend.cc',
    reason: 'lists of strings as attributes of ops: _FusedMatMul names in one what it fuses',
    after: 'case TF_ATTR_STRING: {\n',
    insert: `
      if (IsArray(env, nstatus, &js_value)) {
        uint32_t count = 0;
        nstatus = napi_get_array_length(env, js_value, &count);
        ENSURE_NAPI_OK(env, nstatus);
        std::vector<std::string> texts(count);
        std::vector<const void *> starts;
        std::vector<size_t> lengths;
        for (uint32_t i = 0; i < count; ++i) {
          napi_value text;
          nstatus = napi_get_element(env, js_value, i, &text);
          ENSURE_NAPI_OK(env, nstatus);
          nstatus = GetStringParam(env, text, texts[i]);
          ENSURE_NAPI_OK(env, nstatus);
          starts.push_back(texts[i].data());
          lengths.push_back(texts[i].size());
        }
        TFE_OpSetAttrStringList(tfe_op, attr_name, starts.data(),
                                lengths.data(), static_cast<int>(count));
        break;
      }
`,
  },
  {
    file: 'tfjs_binding.cc',
    reason: 'tells that it takes such lists',
    after: 'EXPORT_INT_PROPERTY(TF_ATTR_SHAPE);\n',
    insert: '  AssignIntProperty(env, exports, "DIT_STRING_LISTS", 1);\n',
  },
]

/**
 * A source with its patches.
 *
 * @throws RangeError when a place to patch is not there exactly once: the package is of another version
 */
export function patched(file: string, source: string, patches: readonly Patch[] = PATCHES): string {
  let text = source
  for (const { after, insert, reason } of patches.filter((patch) => patch.file === file)) {
    const parts = text.split(after)
    if (parts.length !== 2) {
      throw new RangeError(
        `patched: ${file} must hold ${JSON.stringify(after.trim())} once (it does ${parts.length - 1} times); wanted for: ${reason}`,
      )
    }
    text = parts.join(after + insert)
  }
  return text
}
