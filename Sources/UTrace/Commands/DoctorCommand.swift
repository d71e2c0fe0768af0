import ArgumentParser
import KernelBridge
import Platform

/// `utrace doctor`: what this kernel and this user can do, and what to do about what is missing.
struct DoctorCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "doctor",
    abstract: "Say what works on this machine, and what to do if not.",
    discussion: "Exit status: 0 when tracing works, 3 when not."
  )

  @Flag(name: .customLong("json"), help: "Print one JSON object.")
  var json = false

  func run() throws {
    let environment = Environment.current()
    let kernel = KernelSession()
    let report = DoctorReport(
      version: Release.version,
      architecture: MachineInfo.current.architecture,
      settings: kernel.settings,
      surroundings: .current(environment),
      state: { kernel.features.state(of: $0) }
    )
    let table = DoctorTable(width: StandardStream.output.columnCount, isUnicode: environment.isUnicode)
    StandardStream.output.write(json ? report.json + "\n" : table.text(of: report))
    if !report.canTrace { throw ExitCode(Status.systemError.rawValue) }
  }
}

extension Environment {
  /// Whether the locale's character set is UTF-8 (setlocale(3): the first of these that is set decides).
  fileprivate var isUnicode: Bool {
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"].compactMap { self[$0] }.first { !$0.isEmpty } ?? ""
    let set = locale.lowercased().filter { $0 != "-" }
    return set.contains("utf8")
  }
}
