import CEventLoop

/// Memory that the process has from the system and does not use.
package enum FreeMemory {
  /// Gives it back to the system; the C library keeps what is freed for the next to ask (malloc_trim(3)).
  package static func giveBack() { ce_give_memory_back() }
}
