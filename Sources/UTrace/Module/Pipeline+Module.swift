import ArgumentParser
import BPFBackend
import Diagnostics
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

  /// What keeps `module` for the next run, to be done while this one goes on: writing 17,000 sites takes as long as
  /// probing them. Nil when the next run would have to show warnings again.
  func keeping(_ module: ModuleFile) -> (@Sendable () -> Void)? {
    guard cacheKey != nil, !reporter.hasWarned, !programs.dependencies.isTransient,
      let cache = ModuleCache.standard(environment)
    else { return nil }
    return { [start] in
      cache.keep(module, start: start)
      cache.prune()
    }
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
