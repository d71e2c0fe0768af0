import Foundation
import TestSupport
import Testing

@testable import Platform

@Suite("Processes") struct ProcessTests {
  @Test func knowsItself() throws {
    let process = RunningProcess.current()
    #expect(process.exists)
    #expect(try process.executablePath() == Paths.canonical("/proc/self/exe"))
    #expect(try process.parentID() == getppid())
    #expect(try process.threadIDs().contains(process.pid))
    #expect(try !process.commandName().hasSuffix("\n"))
    #expect(try process.startTicks() > 0)
    #expect(try process.environment()["PATH"] != nil)
    #expect(try RunningProcess.all().contains(process))
  }

  @Test func aProcessThatIsGone() {
    let process = RunningProcess(pid: .max)
    #expect(!process.exists)
    #expect(throws: SystemError.self) { try process.maps() }
  }

  @Test func ownMapsHaveTheProgram() throws {
    let maps = try RunningProcess.current().maps()
    let path = try RunningProcess.current().executablePath()
    #expect(maps.executableFiles.contains(path))
    let region = try #require(maps.regions.first { $0.path == path })
    #expect(maps.region(containing: region.start) == region)
    #expect(maps.region(containing: region.end - 1) == region)
    #expect(maps.region(containing: 0) == nil)
    #expect(maps.region(containing: .max) == nil)
    #expect(region.inode == (try FileStatus(of: path).inode))
  }

  @Test func mapsLinesParse() {
    let text = """
      55d0c2a00000-55d0c2a01000 r-xp 00002000 fe:01 131 /tmp/a b\\012c (deleted)
      7ffd0000-7ffd1000 rw-s 00000000 00:00 0
      nonsense
      7fff0000-7fff1000 r--p 00000000 00:00 0                          [vvar]
      ffff-eeee r--p 00000000 00:00 0 reversed

      """
    let regions = ProcessMaps(text: Array(text.utf8)).regions
    #expect(regions.count == 3)
    #expect(regions[0].path == "/tmp/a b\nc")
    #expect(regions[0].isDeleted)
    #expect(regions[0].permissions == [.read, .execute])
    #expect(regions[0].deviceMajor == 0xfe)
    #expect(regions[0].fileOffset == 0x2000)
    #expect(regions[1].permissions == [.read, .write, .shared])
    #expect(regions[1].path.isEmpty)
    #expect(regions[2].path == "[vvar]")
    #expect(!regions[2].isFile)
  }

  @Test func environmentBlocks() {
    let environment = Environment(block: Array("A=1\0B=x=y\0junk\0PATH=/a::/b\0".utf8))
    #expect(environment["A"] == "1")
    #expect(environment["B"] == "x=y")
    #expect(environment["junk"] == nil)
    #expect(environment.list("PATH") == ["/a", ".", "/b"])
    #expect(Environment.current()["PATH"] == ProcessInfo.processInfo.environment["PATH"])
  }
}

@Suite("Shell commands") struct ShellCommandTests {
  @Test(
    "the program that a command becomes",
    arguments: [
      ("true", "true"), ("  ./a b c ", "./a"), ("'my prog' x", "my prog"), ("my\\ prog", "my prog"),
      ("\"a b\"/c", "a b/c"), ("FOO=1 env", "env"), ("A='x y' B=\"$HOME\" env -i", "env"),
      ("psql -c 'select 1; select 2' | cat", nil), ("prog >out 2>&1", "prog"), ("prog < in", "prog"),
      ("prog $HOME *.c ~/x", "prog"), ("prog 'a;b|c&d' \"(e)\"", "prog"), ("a; b", nil), ("a && b", nil),
      ("a || b", nil), ("a &", nil), ("(a)", nil), ("{ a; }", nil), ("a\nb", nil), ("cd /tmp", nil),
      ("exit 3", nil), ("exec a", nil), ("! a", nil), ("FOO=1", nil), ("$SHELL", nil), ("`which a`", nil),
      ("a $(b)", nil), ("a 'b", nil), ("a \"b", nil), ("# a", nil), (">out a", nil), ("", nil), ("a\\", "a"),
      ("echo a#b", "echo"), ("=x", "=x"), ("1=2 a", "1=2"), ("if a; then b; fi", nil), ("*", nil),
    ] as [(String, String?)]
  )
  func findsTheProgram(_ text: String, _ program: String?) {
    #expect(ShellCommand(text).program == program)
  }

  @Test(
    "a suspended command is what a shell makes of it, in its own process",
    arguments: [
      ("FOO='a b' BAR=\"$FOO\" sh -c 'echo $FOO-$BAR' >OUT", "a b-a b\n"),
      ("echo one | tr o 0 >OUT", "0ne\n"),
      ("cd / && pwd >OUT", "/\n"), ("printf '%s\\n' \"it's\" >OUT", "it's\n"),
      ("for i in 1 2; do echo $i; done >OUT", "1\n2\n"), ("echo \"a   b\" >OUT # c", "a   b\n"),
      ("sh -c 'echo $$ >OUT'", "PID\n"), ("set -- x; echo $# >OUT", "1\n"),
    ]
  )
  func runsTheCommand(_ text: String, _ wanted: String) throws {
    let scratch = try ScratchDirectory()
    let file = "\(scratch.path)/out"
    let child = try ChildProcess(text.replacing("OUT", with: file), isSuspended: true)
    child.resume()
    #expect(child.wait() == .status(0))
    let output = try String(contentsOfFile: file, encoding: .utf8)
    #expect(output == wanted.replacing("PID", with: "\(child.pid)"))
  }
}
