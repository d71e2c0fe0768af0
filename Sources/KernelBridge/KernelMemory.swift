import BPFObject
import Platform

/// The kernel's memory for probes of the user side, read by a program that runs when it is asked to: what a hit has kept the
/// address of can still be looked at in a timer.
package final class KernelMemory {
  /// Where in the request's value things are.
  private enum Request {
    static let address = 0
    static let byteCount = 8
    static let status = 16
    static let bytes = 24
    /// The most that is read at a time.
    static let capacity = 4096
    static let valueByteCount = bytes + capacity
    static let map = MapReference("request")
  }

  private struct Reader: ~Copyable {
    let program: BPFProgram
    let request: MappedArray
  }

  private let session: KernelSession
  private var reader: Reader?
  private var isMissing = false

  /// Loads nothing before the first read.
  package init(_ session: KernelSession) { self.session = session }

  /// Bytes at an address; nil where there are none, or where the kernel or the user's rights do not allow it.
  package func read(at address: UInt64, byteCount: Int) -> [UInt8]? {
    var bytes: [UInt8] = []
    while bytes.count < byteCount {
      let count = min(Request.capacity, byteCount - bytes.count)
      guard let piece = readPiece(at: address &+ UInt64(bytes.count), byteCount: count) else { return nil }
      bytes += piece
    }
    return bytes
  }

  private func readPiece(at address: UInt64, byteCount: Int) -> [UInt8]? {
    prepare()
    guard reader != nil else { return nil }
    reader?.request.store(0, offset: Request.address, address)
    reader?.request.store(0, offset: Request.byteCount, UInt64(byteCount))
    reader?.request.store(0, offset: Request.status, Int64(-1))
    guard (try? reader?.program.run()) != nil,
      reader?.request.load(0, offset: Request.status, as: Int64.self) == 0
    else { return nil }
    return reader?.request.bytes(0, offset: Request.bytes, byteCount: byteCount)
  }

  private func prepare() {
    guard reader == nil, !isMissing else { return }
    do throws(KernelError) {
      let map = MapSpec.array(
        Request.map.name,
        valueByteCount: Request.valueByteCount,
        count: 1,
        flags: .mappable
      )
      let spec = ProgramSpec(name: "read_kernel", kind: .rawTracepoint("sys_enter"), code: try Self.code())
      let loaded = try session.load(ModuleBlueprint(maps: [map], programs: [spec]))
      let request = try MappedArray(loaded.map(Request.map.name))
      reader = Reader(program: try loaded.program(spec.name), request: request)
    } catch { isMissing = true }
  }

  private static func code() throws(KernelError) -> ProgramCode {
    var code = Assembler(program: "read_kernel")
    let end = code.makeLabel()
    code.loadMapValue(.r6, Request.map, offset: 0)
    code.emit(.load(.double, .r2, .r6, Int16(Request.byteCount)))
    code.jump(if: .greater, .r2, Int32(Request.capacity), to: end)
    code.emit(.load(.double, .r3, .r6, Int16(Request.address)))
    code.emit(.move(.r1, .r6))
    code.emit(.arithmetic(.add, .r1, Int32(Request.bytes)))
    code.call(.probeReadKernel)
    code.emit(.store(.double, .r6, Int16(Request.status), .r0))
    code.place(end)
    code.emit(.move(.r0, 0))
    code.emit(.exit)
    do { return try code.finish() } catch { throw .invalid("\(error)") }
  }
}
