import Elaboration
import Platform
import TargetModel

/// What a module was made from and for.
struct ModuleFacts: Hashable, Sendable {
  /// The script, as messages call it.
  var scriptName: String
  var kernel: KernelFacts
  var target: TargetSelection
  var dependencies: ModuleDependencies
  /// What the cache asks for it by; empty for `utrace build`.
  var cacheKey: [UInt8] = []
}

/// Everything outside the script that a translation has looked at.
struct ModuleDependencies: Hashable, Sendable {
  /// The library: its files and its directories.
  var files: [FileFact] = []
  /// The binaries that probe points led to.
  var programs: [ProgramFact] = []
  /// What names led there.
  var lookups: [LookupFact] = []
  /// It depends on what one process has loaded: good for this run only.
  var isTransient = false

  /// Whether all of it is as it was; names are looked up in `programs`.
  func areUnchanged(lookingUpIn catalog: SystemPrograms) -> Bool {
    files.allSatisfy(\.isUnchanged) && programs.allSatisfy(\.file.isUnchanged)
      && programs.allSatisfy { $0.debugFile?.isUnchanged ?? true }
      && lookups.allSatisfy { $0 == LookupFact($0.question, in: catalog) }
  }

  /// The latest change of a file, in nanoseconds since 1970.
  var latestChange: Int64 {
    let all = files + programs.map(\.file) + programs.compactMap(\.debugFile)
    return all.compactMap { $0.identity?.changed }.max() ?? 0
  }
}

/// A binary with probe sites, or one that was searched for them.
struct ProgramFact: Hashable, Sendable {
  var file: FileFact
  var buildID: BuildID?
  /// Where distributions put separate debug information: to be noticed when it gets installed.
  var debugFile: FileFact?

  init(_ path: String, buildID: BuildID?) {
    self.init(file: FileFact(path), buildID: buildID, debugFile: nil)
    let digits = buildID?.description ?? ""
    guard digits.count > 2 else { return }
    debugFile = FileFact("/usr/lib/debug/.build-id/\(digits.prefix(2))/\(digits.dropFirst(2)).debug")
  }

  init(file: FileFact, buildID: BuildID?, debugFile: FileFact?) {
    self.file = file
    self.buildID = buildID
    self.debugFile = debugFile
  }
}

/// A question about names, and its answer.
struct LookupFact: Hashable, Sendable {
  /// What was asked; libraries are told by the files that name them.
  enum Question: Hashable, Sendable {
    case files(String)
    case executable(Int32)
  }

  var question: Question
  /// Nil: nothing was found.
  var answer: [String]?

  /// Asks now.
  init(_ question: Question, in catalog: SystemPrograms) {
    let answer =
      switch question {
      case .files(let name): catalog.files(named: name)
      case .executable(let pid): catalog.executable(of: pid).map { [$0] }
      }
    self.init(question, answer: try? answer.get())
  }

  init(_ question: Question, answer: [String]?) {
    self.question = question
    self.answer = answer
  }
}
