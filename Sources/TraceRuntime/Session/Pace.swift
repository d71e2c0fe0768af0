/// When a session looks for records next.
///
/// While records come it looks by itself, so that probes need not wake it, which costs them more than the record.
/// After some rounds without any it asks to be woken and sleeps. A probe that looked just before it asked does not
/// wake it: one more short round sees what that one sent.
struct Pace {
  private let shortPause: Int
  private let longPause: Int
  private var emptyRounds = 0
  private var isBusy = false

  /// Rounds without records before a session asks to be woken.
  static let patience = 5
  /// After this many records in a round, more have come meanwhile.
  static let flood = 10_000

  init(_ options: SessionOptions) {
    shortPause = options.drainMilliseconds
    longPause = options.idleMilliseconds
  }

  /// How long to wait before the next round.
  var pauseMilliseconds: Int {
    if isBusy { return 0 }
    return emptyRounds > Self.patience + 1 ? longPause : shortPause
  }

  /// Somebody woke the session.
  mutating func wake() { emptyRounds = 0 }

  /// Takes note of a round; gives what probes have to be told: that the session sleeps from now on, or no longer.
  mutating func advance(records count: Int) -> Bool? {
    isBusy = count > Self.flood
    let wasAsleep = emptyRounds > Self.patience
    emptyRounds = count == 0 ? emptyRounds + 1 : 0
    let isAsleep = emptyRounds > Self.patience
    return isAsleep == wasAsleep ? nil : isAsleep
  }
}
