import Foundation
import TestSupport
import Testing

extension LiveTests {
  /// Database programs that somebody else wrote.
  @Suite(.requires(.probes), .timeLimit(.minutes(2))) struct DatabaseTests {
    private static let serverPrograms = "/usr/lib/postgresql/15/bin"
    private static let work = """
      create table numbers (n int);
      insert into numbers values (1), (2), (3);
      select sum(n) from numbers;
      select sum(n) from numbers;
      select sum(n) from numbers;
      select 'it''s text';
      """

    private static func psql() throws -> String {
      let built = try run("\(Package.root)/Scripts/build-psql", [])
      return built.output.trimmingCharacters(in: .whitespacesAndNewlines)
    }

    @Test("psql: every statement is seen, counted and timed", .requires(.script("build-psql")))
    func timesPsqlStatements() throws {
      let server = try PrivateServer("postgres-cluster")
      let scratch = try ScratchDirectory()
      let file = try scratch.write(Self.work, to: "work.sql")
      let psql = try Self.psql()
      let path = searchPath(first: String(psql.dropLast("/psql".count)))
      let tracer = try startUtrace([Package.example("database/psql-query-times.stp")], environment: path)
      let talk = try run(psql, ["-h", server.directory, "-U", "postgres", "-At", "-f", file])
      #expect(talk.output == "CREATE TABLE\nINSERT 0 3\n6\n6\n6\nit's text\n")
      let traced = tracer.interrupt()
      #expect(traced.status == 0)
      #expect(traced.messages.isEmpty, "\(traced.errors)")

      let statements = Self.work.split(separator: "\n").map(String.init)
      let seen = traced.lines.filter { $0.hasPrefix("psql(") }
      #expect(seen.map { $0.drop { $0 != " " }.dropFirst() } == statements.map { $0[...] })
      let report = traced.lines.drop { !$0.contains("mean us") }.dropFirst()
      #expect(report.count == 4)
      for line in report {
        let fields = line.split(separator: " ", maxSplits: 3).map(String.init)
        let times = statements.filter { $0 == fields[3].dropFirst() }.count
        #expect(Int(fields[0]) == times, "\(line)")
        #expect(try #require(Int(fields[1])) > 0 && Int(fields[1])! <= Int(fields[2])!)
      }
      withExtendedLifetime(server) {}
    }

    @Test("postgres, stripped: 71 sites of 57 markers", .requires(.file("\(serverPrograms)/postgres")))
    func listsPostgresMarkers() throws {
      let path = searchPath(first: Self.serverPrograms)
      let listed = try utrace(["-l", "process(\"postgres\").mark(\"*\")"], environment: path)
      #expect(listed.status == 0)
      #expect(Set(listed.lines).count == 57 && listed.lines.count == 57)
      #expect(listed.lines.allSatisfy { $0.contains(".provider(\"postgresql\").mark(") })
      let script = "global n probe process(\"postgres\").mark(\"*\") { n++ } probe end { println(n) }"
      let elaborated = try utrace(["--pass", "2", "-e", script], environment: path)
      #expect(elaborated.output.matches(of: /\n  at process/).count == 71, "\(elaborated.output)")
    }

    @Test(
      "postgres, stripped: markers fire, with the statements' texts",
      .requires(.file("\(serverPrograms)/postgres"))
    )
    func countsPostgresMarkers() throws {
      let server = try PrivateServer("postgres-cluster")
      let scratch = try ScratchDirectory()
      let file = try scratch.write(Self.work, to: "work.sql")
      // Others on this machine may run a PostgreSQL too: ours are the children of our postmaster.
      let ask = try run("\(Package.root)/Scripts/postgres-cluster", ["pid", server.directory])
      let postmaster = ask.output.trimmingCharacters(in: .whitespacesAndNewlines)
      let script = """
        global texts, names
        probe process("postgres").mark("query__start") { if (ppid() == $1) texts[user_string($arg1)]++ }
        probe process("postgres").mark("*") { if (ppid() == $1) names[$$name]++ }
        probe end {
          foreach (text in texts) printf("%d %s\\n", texts[text], text)
          foreach (name in names) printf("%d %s\\n", names[name], name)
        }
        """
      let tracer = try startUtrace(
        ["-e", script, postmaster],
        environment: searchPath(first: Self.serverPrograms)
      )
      let talk = try run(
        "\(Self.serverPrograms)/psql",
        ["-h", server.directory, "-U", "postgres", "-At", "-f", file]
      )
      #expect(talk.output == "CREATE TABLE\nINSERT 0 3\n6\n6\n6\nit's text\n")
      let traced = tracer.interrupt()
      #expect(traced.messages.isEmpty, "\(traced.errors)")
      let hits = counts(traced.lines)
      #expect(hits["create table numbers (n int);"] == 1)
      #expect(hits["select sum(n) from numbers;"] == 3)
      #expect(hits["select 'it''s text';"] == 1)
      // Six statements; the plan of a utility statement is not made by the planner.
      #expect(hits["query__start"] == 6 && hits["query__done"] == 6)
      #expect(hits["query__parse__start"] == 6 && hits["query__parse__done"] == 6)
      #expect(hits["query__plan__start"] == 5 && hits["query__plan__done"] == 5)
      #expect(hits["transaction__commit"] ?? 0 >= 6)
      #expect(hits["lwlock__acquire"] ?? 0 > 10 && hits["lwlock__release"] ?? 0 > 10)
      #expect(
        hits["transaction__start"] == (hits["transaction__commit"] ?? 0) + (hits["transaction__abort"] ?? 0)
      )
      withExtendedLifetime(server) {}
    }

    @Test("postgres, stripped: the example logs every marker", .requires(.file("\(serverPrograms)/postgres")))
    func logsPostgresMarkers() throws {
      let server = try PrivateServer("postgres-cluster")
      let path = searchPath(first: Self.serverPrograms)
      let tracer = try startUtrace([Package.example("database/postgres-markers.stp")], environment: path)
      for _ in 0..<5 {
        let talk = try run(
          "\(Self.serverPrograms)/psql",
          ["-h", server.directory, "-U", "postgres", "-Atc", "select 1"]
        )
        #expect(talk.output == "1\n")
      }
      let traced = tracer.interrupt()
      #expect(traced.messages.isEmpty, "\(traced.errors)")
      let report = counts(traced.lines)
      #expect(report["query__start"] ?? 0 >= 5)
      for (name, count) in report { #expect(traced.lines.filter { $0 == name }.count == count, "\(name)") }
      withExtendedLifetime(server) {}
    }

    @Test(
      "mariadbd, stripped: statements from symbols and the calling convention",
      .requires(.file("/usr/sbin/mariadbd"))
    )
    func readsMariaDBStatements() throws {
      let server = try PrivateServer("mariadb-server")
      let tracer = try startUtrace([Package.example("database/mariadb-queries.stp")])
      let work = [
        "select 41 + 1", "create table test.t (a int)", "insert into test.t values (1), (2)", "select 'zwei'",
      ]
      let talk = try run(
        "mariadb",
        [
          "--no-defaults", "-S", "\(server.directory)/socket", "-u", "root", "-N", "-e",
          work.joined(separator: ";"),
        ]
      )
      #expect(talk.output == "42\nzwei\n")
      let traced = tracer.interrupt()
      #expect(traced.messages.isEmpty, "\(traced.errors)")
      let seen = traced.lines.compactMap { $0.wholeMatch(of: /\d+: (.*)/).map { String($0.1) } }
      #expect(seen.filter { work.contains($0) } == work, "\(traced.output)")
      #expect(traced.output.contains(/\n\d+ queries, \d+ us on average, \d+ us at most\n/))
      withExtendedLifetime(server) {}
    }
  }
}
