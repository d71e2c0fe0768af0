/// A kernel function that programs call by name (kfunc), with the shape that loaders compare.
///
/// Source: Linux 6.18, kernel/bpf/helpers.c and kernel/trace/bpf_trace.c.
package struct KernelFunction: Hashable, Sendable {
  /// Parameters and results, as far as BTF compatibility looks at them.
  package enum Shape: Hashable, Sendable {
    case void, integer(byteCount: Int), pointerToVoid, pointerToChar, pointerToLong
  }

  package let name: String
  /// First mainline release with it; for messages, never for decisions.
  package let since: String
  package let result: Shape
  package let parameters: [Shape]
}

extension KernelFunction {
  /// The row with that name, `bpf_` included.
  package static func named(_ name: String) -> KernelFunction? { table.first { $0.name == name } }

  private static func row(
    _ name: String,
    _ since: String,
    _ result: Shape,
    _ parameters: Shape...
  ) -> KernelFunction {
    KernelFunction(name: name, since: since, result: result, parameters: parameters)
  }

  private static let int = Shape.integer(byteCount: 4)
  private static let long = Shape.integer(byteCount: 8)
  private static let bool = Shape.integer(byteCount: 1)

  package static let table: [KernelFunction] = [
    row("bpf_copy_from_user_str", "6.12", int, .pointerToVoid, int, .pointerToVoid, long),
    row("bpf_local_irq_restore", "6.14", .void, .pointerToLong),
    row("bpf_local_irq_save", "6.14", .void, .pointerToLong),
    row("bpf_preempt_disable", "6.10", .void),
    row("bpf_preempt_enable", "6.10", .void),
    row("bpf_rcu_read_lock", "6.2", .void),
    row("bpf_rcu_read_unlock", "6.2", .void),
    row("bpf_rdonly_cast", "6.2", .pointerToVoid, .pointerToVoid, int),
    row("bpf_session_cookie", "6.10", .pointerToLong),
    row("bpf_session_is_return", "6.10", bool),
    row("bpf_strcasecmp", "6.18", int, .pointerToChar, .pointerToChar),
    row("bpf_strchr", "6.17", int, .pointerToChar, int),
    row("bpf_strcmp", "6.17", int, .pointerToChar, .pointerToChar),
    row("bpf_strlen", "6.17", int, .pointerToChar),
    row("bpf_strnlen", "6.17", int, .pointerToChar, int),
    row("bpf_strnstr", "6.17", int, .pointerToChar, .pointerToChar, long),
    row("bpf_strrchr", "6.17", int, .pointerToChar, int),
    row("bpf_strstr", "6.17", int, .pointerToChar, .pointerToChar),
  ]
}
