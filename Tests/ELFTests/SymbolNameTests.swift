import TestSupport
import Testing

@testable import ELF

@Suite("Symbol names") struct SymbolNameTests {
  @Test(
    "mangled names and what they mean",
    arguments: [
      // As c++filt of binutils 2.40 shows them.
      ("_ZN4shop4Item5totalEi", "shop::Item", "total", "shop::Item::total(int)"),
      ("_ZNK4shop4Item5totalEi", "shop::Item", "total", "shop::Item::total(int) const"),
      ("_Z5twiceIiET_S0_", "", "twice<int>", "int twice<int>(int)"),
      ("_ZN12_GLOBAL__N_16hiddenEi", "(anonymous namespace)", "hidden", "(anonymous namespace)::hidden(int)"),
      ("_ZN4shop4ItemclEi", "shop::Item", "operator()", "shop::Item::operator()(int)"),
      ("_ZN4shop4ItemltERKS0_", "shop::Item", "operator<", "shop::Item::operator<(shop::Item const&)"),
      ("_ZN4shop4ItemcvbEv", "shop::Item", "operator bool", "shop::Item::operator bool()"),
      ("_ZN4shop4ItemD2Ev", "shop::Item", "~Item", "shop::Item::~Item()"),
      ("_ZN4shop4Item5totalEi.isra.0", "shop::Item", "total.isra.0", "shop::Item::total(int).isra.0"),
      (
        "_ZNSt6vectorIiSaIiEE9push_backERKi", "std::vector<int, std::allocator<int> >", "push_back",
        "std::vector<int, std::allocator<int> >::push_back(int const&)"
      ),
      (
        "_ZZ4mainENKUliE_clEi", "main::{lambda(int)#1}", "operator()",
        "main::{lambda(int)#1}::operator()(int) const"
      ),
      // As rustc 1.95 made them; read as rustc-demangle shows them without hashes.
      (
        "_ZN6kern_x4shop13Item$LT$T$GT$5total17hdaa3616901a38003E", "kern_x::shop::Item<T>", "total",
        "kern_x::shop::Item<T>::total"
      ),
      (
        "_ZN4core3fmt9Formatter9write_str17h0123456789abcdefE", "core::fmt::Formatter", "write_str",
        "core::fmt::Formatter::write_str"
      ),
      ("_RNvCsi5BX1425ptY_6kern_x4main", "kern_x", "main", "kern_x::main"),
      (
        "_RNvMNtCsi5BX1425ptY_6kern_x4shopINtB2_4ItemmE5totalB4_", "<kern_x::shop::Item<u32>>", "total",
        "<kern_x::shop::Item<u32>>::total"
      ),
      (
        "_RINvCsi5BX1425ptY_6kern_x5applyNCNvB2_4main0EB2_", "kern_x", "apply",
        "kern_x::apply::<kern_x::main::{closure#0}>"
      ),
      (
        "_RNvMsi_NtNtNtCsjrHSEGnQ3l9_3std3sys2fs4unixNtB5_4File6open_c", "<std::sys::fs::unix::File>",
        "open_c",
        "<std::sys::fs::unix::File>::open_c"
      ),
      (
        "_RNvNvNtNtNtCsjrHSEGnQ3l9_3std3sys2fs4unix9try_statx17STATX_SAVED_STATE.0",
        "std::sys::fs::unix::try_statx", "STATX_SAVED_STATE.0",
        "std::sys::fs::unix::try_statx::STATX_SAVED_STATE.0"
      ),
      // Rust RFC 2603 and the Rust reference.
      ("_RNvC6_123foo3bar", "123foo", "bar", "123foo::bar"),
      (
        "_RMC0INtC8arrayvec8ArrayVechKj7b_E", "", "<arrayvec::ArrayVec<u8, 123>>",
        "<arrayvec::ArrayVec<u8, 123>>"
      ),
      (
        "_RYFG_FG_RL1_hRL0_tEuEuNtC1a1T", "", "<for<'a> fn(for<'b> fn(&'a u8, &'b u16)) as a::T>",
        "<for<'a> fn(for<'b> fn(&'a u8, &'b u16)) as a::T>"
      ),
      // As swift-demangle shows them.
      ("$s4main5helloyS2SF", "main", "hello", "main.hello(Swift.String) -> Swift.String"),
      // D: the qualified name only.
      ("_D3std5stdio4File5closeMFNeZv", "std.stdio.File", "close", "std.stdio.File.close"),
      ("_D4shop4Item5totalMFiZi", "shop.Item", "total", "shop.Item.total"),
    ] as [(String, String, String, String)]
  )
  func reads(_ symbol: String, _ scope: String, _ name: String, _ full: String) throws {
    let found = try #require(SymbolName(symbol), "\(symbol)")
    #expect(found.full == full)
    #expect(found.name == name)
    #expect(
      (found.scope ?? "") == scope.split(separator: ".").joined(separator: full.contains("::") ? "." : "::")
    )
  }

  @Test(
    "the type that a method of Rust is of",
    arguments: [
      ("_ZN43_$LT$shop..Item$u20$as$u20$shop..Priced$GT$5price17h964e9671693b9668E", 0, "shop::Item"),
      (
        "_ZN43_$LT$shop..Item$u20$as$u20$shop..Priced$GT$5price28_$u7b$$u7b$closure$u7d$$u7d$17h964e9671693b9668E",
        1, "shop::Item"
      ),
      ("_ZN4shop4till13Till$LT$T$GT$3add17h9aaa8edc196a5c65E", 0, "shop::till::Till<T>"),
      ("_RNvXCsbxQjNsTKZZh_4shopNtB2_4ItemNtB2_6Priced5price", 0, "shop::Item"),
      ("_RNvMNtCsbxQjNsTKZZh_4shop4tillINtB2_4TillmE3addB4_", 0, "shop::till::Till<u32>"),
      ("_RNCINvMC4shopSj3askmE0B3_", 1, "[usize]"),
      ("_RNvXCs_4shopNtB2_4ItemNtB2_6Priced5price", 2, nil),
      ("_ZN4shop4Item5totalEi", 0, nil),
    ] as [(String, Int, String?)]
  )
  func implementingType(_ symbol: String, _ levels: Int, _ type: String?) {
    #expect(SymbolName(symbol)?.implementingType(levels: levels) == type)
  }

  @Test(
    "the scope of a Rust method, with the type for the type and its trait",
    arguments: [
      ("_ZN43_$LT$shop..Item$u20$as$u20$shop..Priced$GT$5price17h964e9671693b9668E", "shop::Item"),
      (
        "_ZN43_$LT$shop..Item$u20$as$u20$shop..Priced$GT$5price28_$u7b$$u7b$closure$u7d$$u7d$17h964e9671693b9668E",
        "shop::Item::price"
      ),
      ("_ZN4shop4till13Till$LT$T$GT$3add17h9aaa8edc196a5c65E", nil),
      ("_RNvXCsbxQjNsTKZZh_4shopNtB2_4ItemNtB2_6Priced5price", "shop::Item"),
      ("_RNvMNtCsbxQjNsTKZZh_4shop4tillINtB2_4TillmE3addB4_", "shop::till::Till<u32>"),
      ("_ZN4shop4Item5totalEi", nil),
    ] as [(String, String?)]
  )
  func scopeByType(_ symbol: String, _ scope: String?) { #expect(SymbolName(symbol)?.scopeByType == scope) }

  @Test(
    "what is no mangled name stays as it is",
    arguments: [
      "main", "_Z", "_R", "_RR", "$s", "_D", "_D4mai", "_DYNAMIC", "_Dmain",
      "_D4shop__T5twiceTiZQjFNaNbNiNfiZi", "_R4main", "_start",
      "_RNvC6_123foo3ba", "_RB_", "_RNvB_1a", "_RINvC1a1bB5_E", "_Restore", "_ZN99999999999999999999a", "",
      ".", "_R\u{301}",
    ]
  )
  func leavesOthers(_ symbol: String) { #expect(SymbolName(symbol) == nil, "\(symbol)") }

  @Test("every prefix and every changed letter of a name is read without a trap")
  func survivesDamage() {
    let symbols = [
      "_ZNSt6vectorIiSaIiEE9push_backERKi", "_RYFG_FG_RL1_hRL0_tEuEuNtC1a1T",
      "_RINvNtCsgEmfK2I1SDS_4core3ptr13drop_in_placeINtNtB4_6option6OptionEECsjrHSEGnQ3l9_3std",
      "$s4main5helloyS2SF", "_D3std5stdio4FileQqMFNeZv",
    ]
    var read = 0
    for symbol in symbols {
      let bytes = Array(symbol.utf8)
      for end in bytes.indices {
        if SymbolName(String(decoding: bytes[..<end], as: UTF8.self)) != nil { read += 1 }
        for replacement in [UInt8(ascii: "0"), UInt8(ascii: "9"), UInt8(ascii: "B"), UInt8(ascii: "_"), 0xff]
        {
          var changed = bytes
          changed[end] = replacement
          if SymbolName(String(decoding: changed, as: UTF8.self)) != nil { read += 1 }
        }
      }
    }
    #expect(read > 0)
  }

  @Test("symbols that stand for something endless are given up")
  func refusesEndless() {
    let nested = "_R" + String(repeating: "INvC1a1b", count: 5000) + "E"
    #expect(SymbolName(nested) == nil)
    // Each tuple holds the one before twice.
    var doubling = "_RINvC1a1bTuuE"
    for _ in 0..<40 { doubling += "TB7_B7_E" }
    _ = SymbolName(doubling + "E")
    #expect(SymbolName(String(repeating: "_ZN1a", count: 3000)) == nil)
  }
}
