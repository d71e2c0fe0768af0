import Glibc

/// A C library that need not be installed; it stays open.
@safe package struct OptionalLibrary {
  private let handle: UnsafeMutableRawPointer

  /// Nil when there is no library of that name, such as `libzstd.so.1`.
  package init?(_ name: String) {
    guard let handle = unsafe dlopen(name, RTLD_NOW | RTLD_LOCAL) else { return nil }
    unsafe self.handle = handle
  }

  /// The function of that name, which must be of type `Function`, a C function pointer; nil when there is none.
  @unsafe package func function<Function>(_ name: String, as type: Function.Type) -> Function? {
    guard let address = unsafe dlsym(handle, name), MemoryLayout<Function>.size == MemoryLayout<Int>.size
    else {
      return nil
    }
    return unsafe unsafeBitCast(address, to: type)
  }
}
