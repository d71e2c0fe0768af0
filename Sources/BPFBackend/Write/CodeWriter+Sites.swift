import BPFObject

// Which of a probe's sites was hit.
extension CodeWriter {
  /// `register` = the index of the site.
  ///
  /// Uses all of `r0`–`r5`.
  mutating func loadSite(_ register: BPFRegister) {
    guard facts.siteCount > 1 else { return code.emit(.move(register, 0)) }
    loadContext(.r1)
    if facts.context == .userRegisters, shared.target.userAttachment == .siblings {
      code.call(subprogram(.findSite))
    } else {
      code.call(.getAttachCookie)
    }
    if register != .r0 { code.emit(.move(register, .r0)) }
  }

  /// From the current task to the file offset of the uprobe whose handler runs, as ``KernelPath/hitUprobe`` leads; with the
  /// event's number, which is the cookie, it names one site.
  mutating func writeFindSite() {
    let unknown = code.makeLabel()
    code.call(.getAttachCookie)
    code.emit(.store(.double, .r10, -16, .r0))
    code.call(.getCurrentTask)
    code.emit(.move(.r3, .r0))
    for step in KernelPath.hitUprobe.steps.indices {
      code.addMemberOffset(.hitUprobe, step, to: .r3)
      stackAddress(.r1, -8)
      code.emit(.move(.r2, 8))
      code.call(.probeReadKernel)
      code.emit(.load(.double, .r3, .r10, -8))
    }
    code.loadMap(.r1, ModuleMaps.siteIndex(facts.index))
    stackAddress(.r2, -16)
    code.call(.mapLookupElement)
    code.jump(if: .equal, .r0, 0, to: unknown)
    code.emit(.load(.word, .r0, .r0))
    code.emit(.exit)
    // Only attached sites hit, and the map has them all.
    code.place(unknown)
    finish(0)
  }
}
