import ELF
import KernelBridge
import Platform
import TargetModel

/// A probe of data, to be armed in one process.
struct DataProbe {
  let program: BPFProgram
  let sites: [ProbeSite]
  let pid: Int32

  /// Watches every site's data where the process has it now.
  /// - Throws: ``KernelError`` when it has not mapped a file, or has no debug register left.
  func attach(_ kernel: KernelSession) throws(KernelError) -> Attachment {
    guard let maps = try? RunningProcess(pid: pid).maps() else { throw .gone(pid: pid) }
    var addresses: [WatchedAddress] = []
    for (index, site) in sites.enumerated() {
      guard let watch = site.watch else { continue }
      var address = site.linkAddress.raw
      if !watch.isAbsolute {
        guard let bias = loadBias(of: site.path, maps) else {
          throw .invalid("process \(pid) has not mapped \(site.path), whose data is to be watched")
        }
        address &+= bias
      }
      addresses.append(WatchedAddress(address: address, watch: watch, cookie: UInt64(index)))
    }
    return try kernel.watch(program, addresses, pid: pid)
  }

  /// How far the file's addresses are from the process's.
  private func loadBias(of path: String, _ maps: ProcessMaps) -> UInt64? {
    guard let status = try? FileStatus(of: path), let file = try? ELFFile(path: path),
      let segment = file.segments.first(where: { $0.isLoad && $0.isExecutable }),
      let region = maps.regions.first(where: {
        $0.inode == status.inode && $0.permissions.contains(.execute)
      })
    else { return nil }
    return region.start &- region.fileOffset &- (segment.address.raw &- segment.fileOffset)
  }
}
