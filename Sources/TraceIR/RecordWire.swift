/// The records in the rings: one ring item per probe hit or per full buffer, holding one or more records.
///
///     offset  0  u16  kind: index into TraceProgram.records, or a ``ControlRecord`` on the control ring
///             2  u16  probe: index into TraceProgram.probes
///             4  u32  site: index into the probe's sites, 0 for others
///             8  fields in order: a long is 8 bytes; a string is a u32 byte count, the bytes, and padding to a
///                multiple of 8 (only what is used, unlike ``StringField``)
package enum RecordWire {
  package static let headerByteCount = 8

  /// The most bytes that a record of these fields can take.
  package static func maximumByteCount(_ fields: [ValueType], _ limits: Limits) -> Int {
    fields.reduce(headerByteCount) { sum, type in
      sum + (type == .long ? 8 : StringField(limits).byteCount)
    }
  }
}

/// Kinds on the control ring, which is never full: few and small.
package enum ControlRecord: UInt16, Sendable {
  /// `exit()` was called. No fields.
  case exit = 0
  /// An uncaught run-time error: long ``FaultCode``, long location index (-1: none), long subject (an address, an
  /// array's GlobalID), string message (for ``FaultCode/raised``).
  case fault = 1
  /// `warn()`: string.
  case warning = 2
  /// `abort()`.
  case abort = 3
  /// `system()`: string.
  case system = 4
  /// Something changed that a condition depends on (``ScalarLayout/conditionsChangedOffset``). No fields.
  case conditionsChanged = 5
  /// `switch_file()`.
  case switchFile = 6
}

/// Why a script failed at run time.
package enum FaultCode: Int64, Sendable, CaseIterable {
  /// `error("…")`.
  case raised = 0
  case divisionByZero = 1
  case userRead = 2
  case kernelRead = 3
  case userString = 4
  case kernelString = 5
  case arrayFull = 6
  case emptyAggregate = 7
  case histogramIndex = 8
  case actionBudget = 9
  case nesting = 10
  case functionsExhausted = 11
  case stringIndex = 12
  case userWrite = 13
  /// Recursive functions walk over more elements than there is memory for.
  case walkMemory = 14
}

/// Why a hit, a record or an update was lost; counted per probe in a per-CPU array, index
/// `probe * LossReason.allCases.count + reason`.
package enum LossReason: Int, Sendable, CaseIterable {
  /// The data ring had no room for a record.
  case ringFull
  /// No scratch memory was free.
  case scratchBusy
  /// A map refused an update for another reason than being full (busy, out of memory).
  case mapBusy
  /// A return without the entry it needs.
  case missedEntry
  /// The globals' lock was not to be had in time.
  case lockTimeout
  /// There were too many processes to follow (`--children`).
  case familyFull
}
