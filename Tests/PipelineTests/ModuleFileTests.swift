import Foundation
import Platform
import TestSupport
import Testing
import TraceIR

@testable import UTrace

@Suite("Module files") struct ModuleFileTests {
  /// A module of a script that runs on the user side only.
  private func module() -> ModuleFile {
    var program = TraceProgram()
    program.probes = [Probe(name: "begin", trigger: .begin(order: 0), body: Body())]
    program.files = ["a.stp"]
    program.locations = [ScriptLocation(file: 0, line: 1, column: 1)]
    return ModuleFile(facts: ModuleExample.facts, program: program, module: nil)
  }

  private func open(_ bytes: [UInt8]) throws -> ModuleFile {
    try ModuleImage(SharedBytes(bytes), path: "m.o").module()
  }

  private func failure(_ bytes: [UInt8]) -> ModuleError? {
    do throws(ModuleError) {
      _ = try ModuleImage(SharedBytes(bytes), path: "m.o").module()
      return nil
    } catch { return error }
  }

  @Test("what is written comes back")
  func roundTrip() throws {
    let copy = try open(module().encoded())
    #expect(copy.facts == ModuleExample.facts)
    #expect(String(reflecting: copy.program) == String(reflecting: module().program))
  }

  @Test("a file cut anywhere is refused")
  func truncation() throws {
    let bytes = try module().encoded()
    for count in bytes.indices { #expect(failure(Array(bytes[..<count])) != nil, "\(count) bytes") }
  }

  @Test("a file with a changed byte is refused")
  func changes() throws {
    let bytes = try module().encoded()
    for index in bytes.indices {
      var changed = bytes
      changed[index] ^= 0x10
      #expect(failure(changed) != nil, "byte \(index)")
    }
  }

  @Test("a program whose IDs lead nowhere is refused")
  func verification() throws {
    var wrong = module()
    wrong.program.probes[0].body.block = Block([Instruction(.storeLocal(LocalID(9), .long(1)))])
    let error = try #require(failure(try wrong.encoded()))
    #expect(error.message == "the module 'm.o' is damaged: probe 0: $9 is not declared")
  }

  @Test("a module for the kernel without its programs is refused")
  func missingHalf() throws {
    var wrong = module()
    wrong.program.probes[0].trigger = .userSites([ModuleExample.site], .instruction, in: .target)
    #expect(
      failure(try wrong.encoded())?.message
        == "the module 'm.o' is damaged: it has no programs for its probes"
    )
  }

  @Test("what is no module is told from one of another utrace")
  func writers() throws {
    #expect(failure(Array("#!/bin/sh\n".utf8))?.message == "'m.o' is no module of utrace")
    let bytes = try module().encoded()
    let other = ModuleSeal(version: "9.9.9", build: "12")
    do throws(ModuleError) {
      _ = try ModuleImage(SharedBytes(bytes), path: "m.o", writtenBy: other)
      Issue.record("it was opened")
    } catch { #expect(error.id == "other-version") }
    let here = ModuleSeal.current
    let error = ModuleError.otherWriter("m.o", other)
    #expect(error.message == "the module 'm.o' was built by utrace 9.9.9, this is \(here.version)")
    let sameVersion = ModuleError.otherWriter("m.o", ModuleSeal(version: here.version, build: "12"))
    #expect(sameVersion.notes[0] == "it was build 12, this is \(here.build)")
  }

  @Test("a module says what it misses on another kernel")
  func kernels() {
    let kernel = ModuleExample.kernel
    #expect(kernel.obstacles(on: kernel).isEmpty)
    var older = kernel
    older.architecture = "arm64"
    older.userAttachment = .siblings
    older.hasMayGoto = false
    older.hasCopyFromUser = false
    older.possibleCPUCount = 10_000
    older.structuresOf = "6.18 #2"
    #expect(
      kernel.obstacles(on: older) == [
        "it is for x86_64, this is arm64",
        "it reads structures of Linux 6.1 #1, this is 6.18 #2",
        "it needs uprobe_multi links (Linux 6.6), which this kernel has not",
        "it needs may_goto (Linux 6.9), which this kernel has not",
        "it needs sleepable uprobes (Linux 6.0), which this kernel has not",
        "it is for 8192 CPUs, this machine has 10000",
      ]
    )
    var newer = kernel
    newer.hasCopyFromUserString = true
    newer.hasUprobeSession = true
    newer.possibleCPUCount = 2
    #expect(kernel.obstacles(on: newer).isEmpty)
    newer.possibleCPUCount = 512
    #expect(kernel.obstacles(on: newer).isEmpty)
  }
}
