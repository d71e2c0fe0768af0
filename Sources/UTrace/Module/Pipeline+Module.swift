import ArgumentParser
import BPFBackend
import Diagnostics
import Elaboration
import Platform
import Tapset
import TraceIR

/// How the pipeline keeps what it makes: in the cache, or in a file of the user's.
extension Pipeline {
  /// What an earlier run made of the same script, if all that it was made from is as it was.
  mutating func cachedModule(of script: SourceFile, _ target: TargetSelection) -> ModuleFile? {
    guard !options.ignoresCache, target.replacedFiles.isEmpty,
      let cache = ModuleCache.standard(environment)
    else { return nil }
    let start = Clock.monotonicNanoseconds()
    cacheKey = CacheKey(script, options, surroundings(target)).bytes
    guard let key = cacheKey, let found = cache.module(for: key, lookingUpIn: programs.system) else {
      return nil
    }
    reporter.say(3, "module from cache", since: start)
    return found
  }

  /// What is left to do behind a translation, while the module runs: writing 17,000 sites takes as long as probing them,
  /// and the debug information of one library as much memory as hundreds of sessions.
  func finishing(_ module: ModuleFile) -> @Sendable () -> Void {
    let cache = keepsModule ? ModuleCache.standard(environment) : nil
    return { [start, programs] in
      programs.system.close()
      cache?.keep(module, start: start)
      cache?.prune()
      FreeMemory.giveBack()
    }
  }

  /// Whether the next run may do without translating: it would show no warnings.
  private var keepsModule: Bool {
    cacheKey != nil && !reporter.hasWarned && !programs.dependencies.isTransient
  }

  /// Writes `module` to a file.
  mutating func write(_ module: ModuleFile, to path: String) throws {
    do throws(ModuleError) {
      let bytes = try module.encoded()
      do throws(SystemError) { try writeFile(path, bytes) } catch { throw .unwritable(error) }
    } catch { throw reporter.fail(error) }
  }

  /// What goes with a translated program into its module file.
  func facts(of program: TraceProgram, _ script: SourceFile, _ target: TargetSelection) -> ModuleFacts {
    var dependencies = programs.dependencies
    dependencies.files += library?.facts ?? []
    let structures = program.readsKernelStructures
    return ModuleFacts(
      scriptName: script.name,
      kernel: KernelFacts(kernelTarget, machine, readingStructures: structures),
      target: target,
      dependencies: dependencies,
      cacheKey: cacheKey ?? []
    )
  }

  private func surroundings(_ target: TargetSelection) -> CacheKey.Surroundings {
    CacheKey.Surroundings(
      kernel: KernelFacts(kernelTarget, machine, readingStructures: true),
      limits: limits,
      target: target.path,
      tapsets: TapsetDirectories.search(options.includes, environment: environment),
      libraryPath: environment["LD_LIBRARY_PATH"]
    )
  }
}
