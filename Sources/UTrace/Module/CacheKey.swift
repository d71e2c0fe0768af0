import Diagnostics
import Platform
import TraceIR

/// Everything that decides what a script is translated to, apart from the files that are read on the way.
struct CacheKey {
  /// A rebuilt utrace may translate otherwise.
  private let executable: FileFact
  private let kernel: KernelFacts
  private let scriptName: String
  private let script: [UInt8]
  private let arguments: [String]
  private let globals: [String]
  private let limits: Limits
  private let flags: [Bool]
  /// The program of `-p` or `-c`; not which process it is, which is bound when it runs.
  private let target: String?
  private let tapsets: [String]
  private let libraryPath: String?

  init(_ script: SourceFile, _ options: TranslationOptions, _ surroundings: Surroundings) {
    executable = FileFact("/proc/self/exe")
    kernel = surroundings.kernel
    scriptName = script.name
    self.script = script.text
    arguments = options.scriptArguments
    globals = options.globals
    limits = surroundings.limits
    flags = [
      options.followsChildren, options.guru, options.unoptimized, options.hidesGlobals,
      options.skipsBadVariables,
      options.presentation.hidesWarnings,
      // Its records say where in the source a site is.
      options.presentation.json,
      options.warningsAreErrors,
    ]
    target = surroundings.target
    tapsets = surroundings.tapsets
    libraryPath = surroundings.libraryPath
  }

  /// What the pipeline knows besides script and options.
  struct Surroundings {
    var kernel: KernelFacts
    var limits: Limits
    var target: String?
    var tapsets: [String]
    var libraryPath: String?
  }

  /// The key itself.
  var bytes: [UInt8] {
    var writer = BinaryWriter()
    writer.write(
      executable,
      kernel,
      scriptName,
      arguments,
      globals,
      limits,
      flags,
      target,
      tapsets,
      libraryPath
    )
    writer.write(blob: script)
    return writer.bytes
  }
}
