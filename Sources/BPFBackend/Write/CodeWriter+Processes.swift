import TargetModel

// Whether a probe is meant for the process that hit it.
extension CodeWriter {
  /// Leaves at once in other processes.
  ///
  /// One process's uprobes are the kernel's business: it does not even run the program elsewhere.
  mutating func checkProcess() {
    guard facts.processes == .family else { return }
    code.storeProcess(at: -8)
    code.findInFamily(keyAt: -8, otherwise: quit)
  }
}
