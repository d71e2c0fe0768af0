import CKernelABI
import Glibc
package import Platform

/// Notes what all processes map, start and end, from when it is made on.
///
/// `/proc/PID/maps` shows only what is there when it is read, and nothing of a process that has ended; perf events
/// tell of every change, in order. Source: perf_event_open(2), “MMAP layout”.
package final class ProcessEventReader {
  private var rings: [PerfRing] = []

  /// Opens an event on each of `cpus`.
  init(cpus: [Int]) throws(KernelError) {
    for cpu in cpus {
      let raw = ck_open_process_events(CInt(cpu))
      guard raw >= 0 else { throw .last("perf_event_open", on: "process events of CPU \(cpu)") }
      rings.append(try PerfRing(Descriptor(raw)))
    }
  }

  /// What happened since the last call, oldest first.
  package func take() -> [ProcessEvent] {
    var events: [ProcessEvent] = []
    for ring in rings {
      ring.drain { record in if let event = ProcessEvent(record) { events.append(event) } }
    }
    return rings.count > 1 ? events.sorted { $0.time < $1.time } : events
  }
}

/// The ring of one perf event.
@safe private final class PerfRing {
  private static let dataByteCount = 1 << 19
  private let event: Descriptor
  private let page: UnsafeMutableRawPointer
  private let pageByteCount = Int(getpagesize())
  private var buffer: [UInt8] = []

  init(_ event: consuming Descriptor) throws(KernelError) {
    let length = pageByteCount + Self.dataByteCount
    let raw = unsafe mmap(nil, length, PROT_READ | PROT_WRITE, MAP_SHARED, event.raw, 0)
    guard unsafe raw != MAP_FAILED, let page = unsafe raw else { throw .last("mmap", on: "a perf event") }
    self.event = event
    unsafe self.page = page
  }

  deinit { unsafe munmap(page, pageByteCount + Self.dataByteCount) }

  /// Offsets of `data_head` and `data_tail` in `struct perf_event_mmap_page`.
  private static let headOffset = 1024
  private static let tailOffset = 1032

  /// Calls `body` with each record, header included.
  func drain(_ body: (RawSpan) -> Void) {
    let head = unsafe ck_load_acquire(page.advanced(by: Self.headOffset))
    var tail = unsafe ck_load_acquire(page.advanced(by: Self.tailOffset))
    while tail < head {
      copy(from: tail, 8)
      let length = Int(buffer[6]) | Int(buffer[7]) << 8
      guard length >= 8, UInt64(length) <= head - tail else { break }
      copy(from: tail, length)
      unsafe body(buffer.span.bytes)
      tail += UInt64(length)
    }
    unsafe ck_store_release(page.advanced(by: Self.tailOffset), head)
  }

  /// Records wrap around at the end of the ring.
  private func copy(from position: UInt64, _ length: Int) {
    buffer.removeAll(keepingCapacity: true)
    let start = Int(position & UInt64(Self.dataByteCount - 1))
    let first = min(length, Self.dataByteCount - start)
    let data = unsafe page.advanced(by: pageByteCount)
    unsafe buffer.append(
      contentsOf: UnsafeRawBufferPointer(start: data.advanced(by: start), count: first)
    )
    unsafe buffer.append(contentsOf: UnsafeRawBufferPointer(start: data, count: length - first))
  }
}

extension ProcessEvent {
  /// Reads a record of a perf ring; nil for others.
  ///
  /// The last eight bytes are the time, the eight before them IDs of process and thread.
  fileprivate init?(_ record: RawSpan) {
    guard let type = record.load(at: 0, as: UInt32.self), let flags = record.load(at: 4, as: UInt16.self),
      let time = record.load(at: record.byteCount - 8, as: UInt64.self),
      let pid = record.load(at: 8, as: Int32.self)
    else { return nil }
    switch type {
    case 10:  // PERF_RECORD_MMAP2
      guard let region = MappedRegion(record) else { return nil }
      self.init(time: time, pid: pid, change: .mapped(region))
    case 3 where flags & 1 << 13 != 0:  // PERF_RECORD_COMM, PERF_RECORD_MISC_COMM_EXEC
      self.init(time: time, pid: pid, change: .executed)
    case 7:  // PERF_RECORD_FORK: pid, ppid, tid, ptid; threads too
      guard let parent = record.load(at: 12, as: Int32.self), parent != pid else { return nil }
      self.init(time: time, pid: pid, change: .forked(parent: parent))
    case 4:  // PERF_RECORD_EXIT
      guard let thread = record.load(at: 16, as: Int32.self), thread == pid else { return nil }
      self.init(time: time, pid: pid, change: .exited)
    default: return nil
    }
  }
}

extension MappedRegion {
  /// Reads PERF_RECORD_MMAP2: address, length and offset, device and inode, protection and flags, path.
  fileprivate init?(_ record: RawSpan) {
    guard let start = record.load(at: 16, as: UInt64.self), let length = record.load(at: 24, as: UInt64.self),
      let offset = record.load(at: 32, as: UInt64.self), let major = record.load(at: 40, as: UInt32.self),
      let minor = record.load(at: 44, as: UInt32.self), let inode = record.load(at: 48, as: UInt64.self),
      let protection = record.load(at: 64, as: UInt32.self), protection & 4 != 0
    else { return nil }
    var path: [UInt8] = []
    var position = 72
    while position < record.byteCount - 16, let byte = record.byte(at: position), byte != 0 {
      path.append(byte)
      position += 1
    }
    self.init(
      start: start,
      end: start &+ length,
      permissions: [.read, .execute],
      fileOffset: offset,
      deviceMajor: major,
      deviceMinor: minor,
      inode: inode,
      path: String(decoding: path, as: UTF8.self),
      isDeleted: false
    )
  }
}
