/// Kernel functions with a fixed number, those of use to a tracer.
///
/// Source: Linux 6.18, include/uapi/linux/bpf.h, `___BPF_FUNC_MAPPER`.
package enum BPFHelper: Int32, Hashable, Sendable, CaseIterable {
  case mapLookupElement = 1
  case mapUpdateElement = 2
  case mapDeleteElement = 3
  case probeRead = 4
  case ktimeGetNanoseconds = 5
  case tracePrintk = 6
  case getPseudoRandomU32 = 7
  case getSMPProcessorID = 8
  case tailCall = 12
  case getCurrentPidTgid = 14
  case getCurrentUidGid = 15
  case getCurrentComm = 16
  case perfEventRead = 22
  case perfEventOutput = 25
  case getStackID = 27
  case getCurrentTask = 35
  case probeWriteUser = 36
  case getNUMANodeID = 42
  case probeReadString = 45
  case perfEventReadValue = 55
  case perfProgramReadValue = 56
  case overrideReturn = 58
  case getStack = 67
  case getCurrentCgroupID = 80
  case mapPushElement = 87
  case mapPopElement = 88
  case mapPeekElement = 89
  case spinLock = 93
  case spinUnlock = 94
  case stringToLong = 105
  case stringToUnsignedLong = 106
  case sendSignal = 109
  case probeReadUser = 112
  case probeReadKernel = 113
  case probeReadUserString = 114
  case probeReadKernelString = 115
  case sendSignalThread = 117
  case jiffies64 = 118
  case getNamespacePidTgid = 120
  case ktimeGetBootNanoseconds = 125
  case ringbufOutput = 130
  case ringbufReserve = 131
  case ringbufSubmit = 132
  case ringbufDiscard = 133
  case ringbufQuery = 134
  case getTaskStack = 141
  case dPath = 147
  case copyFromUser = 148
  case snprintfBTF = 149
  case perCPUPointer = 153
  case thisCPUPointer = 154
  case taskStorageGet = 156
  case taskStorageDelete = 157
  case getCurrentTaskBTF = 158
  case ktimeGetCoarseNanoseconds = 160
  case forEachMapElement = 164
  case snprintf = 165
  case timerInit = 169
  case timerSetCallback = 170
  case timerStart = 171
  case timerCancel = 172
  case getFunctionIP = 173
  case getAttachCookie = 174
  case taskPtRegs = 175
  case traceVprintk = 177
  case kallsymsLookupName = 179
  case findVMA = 180
  case loop = 181
  case compareStrings = 182
  case getFunctionArgument = 183
  case getFunctionReturn = 184
  case getFunctionArgumentCount = 185
  case copyFromUserTask = 191
  case mapLookupPerCPUElement = 195
  case dynptrFromMemory = 197
  case ringbufReserveDynptr = 198
  case ringbufSubmitDynptr = 199
  case ringbufDiscardDynptr = 200
  case dynptrRead = 201
  case dynptrWrite = 202
  case dynptrData = 203
  case ktimeGetTAINanoseconds = 208
  case userRingbufDrain = 209
}

extension BPFHelper {
  /// The kernel's name without `bpf_`.
  package var kernelName: String { helperNames[self] ?? "helper_\(rawValue)" }

  /// First mainline release with it; for messages, never for decisions.
  package var since: String {
    releases.last { $0.first <= rawValue }?.version ?? "3.18"
  }

  /// The helper with a kernel name without `bpf_`.
  package init?(kernelName: String) {
    guard let helper = Self.allCases.first(where: { $0.kernelName == kernelName }) else { return nil }
    self = helper
  }
}

/// The first helper number of each release; numbers are given out in order.
private let releases: [(first: Int32, version: String)] = [
  (1, "3.19"), (4, "4.1"), (12, "4.2"), (17, "4.3"), (23, "4.4"), (26, "4.5"), (27, "4.6"), (31, "4.8"),
  (37, "4.9"), (42, "4.10"), (45, "4.11"), (46, "4.12"), (48, "4.13"), (51, "4.14"), (54, "4.15"),
  (58, "4.16"), (60, "4.17"), (65, "4.18"), (81, "4.19"), (84, "4.20"), (91, "5.0"), (93, "5.1"),
  (105, "5.2"), (109, "5.3"), (111, "5.5"), (117, "5.6"), (120, "5.7"), (125, "5.8"), (136, "5.9"),
  (142, "5.10"), (156, "5.11"), (163, "5.12"), (164, "5.13"), (166, "5.14"), (169, "5.15"), (176, "5.16"),
  (180, "5.17"), (186, "5.18"), (194, "5.19"), (204, "6.0"), (208, "6.1"), (210, "6.2"),
]

private let helperNames: [BPFHelper: String] = [
  .mapLookupElement: "map_lookup_elem",
  .mapUpdateElement: "map_update_elem",
  .mapDeleteElement: "map_delete_elem",
  .probeRead: "probe_read",
  .ktimeGetNanoseconds: "ktime_get_ns",
  .tracePrintk: "trace_printk",
  .getPseudoRandomU32: "get_prandom_u32",
  .getSMPProcessorID: "get_smp_processor_id",
  .tailCall: "tail_call",
  .getCurrentPidTgid: "get_current_pid_tgid",
  .getCurrentUidGid: "get_current_uid_gid",
  .getCurrentComm: "get_current_comm",
  .perfEventRead: "perf_event_read",
  .perfEventOutput: "perf_event_output",
  .getStackID: "get_stackid",
  .getCurrentTask: "get_current_task",
  .probeWriteUser: "probe_write_user",
  .getNUMANodeID: "get_numa_node_id",
  .probeReadString: "probe_read_str",
  .perfEventReadValue: "perf_event_read_value",
  .perfProgramReadValue: "perf_prog_read_value",
  .overrideReturn: "override_return",
  .getStack: "get_stack",
  .getCurrentCgroupID: "get_current_cgroup_id",
  .mapPushElement: "map_push_elem",
  .mapPopElement: "map_pop_elem",
  .mapPeekElement: "map_peek_elem",
  .spinLock: "spin_lock",
  .spinUnlock: "spin_unlock",
  .stringToLong: "strtol",
  .stringToUnsignedLong: "strtoul",
  .sendSignal: "send_signal",
  .probeReadUser: "probe_read_user",
  .probeReadKernel: "probe_read_kernel",
  .probeReadUserString: "probe_read_user_str",
  .probeReadKernelString: "probe_read_kernel_str",
  .sendSignalThread: "send_signal_thread",
  .jiffies64: "jiffies64",
  .getNamespacePidTgid: "get_ns_current_pid_tgid",
  .ktimeGetBootNanoseconds: "ktime_get_boot_ns",
  .ringbufOutput: "ringbuf_output",
  .ringbufReserve: "ringbuf_reserve",
  .ringbufSubmit: "ringbuf_submit",
  .ringbufDiscard: "ringbuf_discard",
  .ringbufQuery: "ringbuf_query",
  .getTaskStack: "get_task_stack",
  .dPath: "d_path",
  .copyFromUser: "copy_from_user",
  .snprintfBTF: "snprintf_btf",
  .perCPUPointer: "per_cpu_ptr",
  .thisCPUPointer: "this_cpu_ptr",
  .taskStorageGet: "task_storage_get",
  .taskStorageDelete: "task_storage_delete",
  .getCurrentTaskBTF: "get_current_task_btf",
  .ktimeGetCoarseNanoseconds: "ktime_get_coarse_ns",
  .forEachMapElement: "for_each_map_elem",
  .snprintf: "snprintf",
  .timerInit: "timer_init",
  .timerSetCallback: "timer_set_callback",
  .timerStart: "timer_start",
  .timerCancel: "timer_cancel",
  .getFunctionIP: "get_func_ip",
  .getAttachCookie: "get_attach_cookie",
  .taskPtRegs: "task_pt_regs",
  .traceVprintk: "trace_vprintk",
  .kallsymsLookupName: "kallsyms_lookup_name",
  .findVMA: "find_vma",
  .loop: "loop",
  .compareStrings: "strncmp",
  .getFunctionArgument: "get_func_arg",
  .getFunctionReturn: "get_func_ret",
  .getFunctionArgumentCount: "get_func_arg_cnt",
  .copyFromUserTask: "copy_from_user_task",
  .mapLookupPerCPUElement: "map_lookup_percpu_elem",
  .dynptrFromMemory: "dynptr_from_mem",
  .ringbufReserveDynptr: "ringbuf_reserve_dynptr",
  .ringbufSubmitDynptr: "ringbuf_submit_dynptr",
  .ringbufDiscardDynptr: "ringbuf_discard_dynptr",
  .dynptrRead: "dynptr_read",
  .dynptrWrite: "dynptr_write",
  .dynptrData: "dynptr_data",
  .ktimeGetTAINanoseconds: "ktime_get_tai_ns",
  .userRingbufDrain: "user_ringbuf_drain",
]
