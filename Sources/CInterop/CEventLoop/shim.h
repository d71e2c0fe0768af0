// Event descriptors of Linux that Swift's Glibc module leaves out: epoll(7), signalfd(2), timerfd_create(2),
// pidfd_open(2). Every function returns -1 and sets errno on failure.
#pragma once
#include <fcntl.h>
#include <malloc.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/pidfd.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

static inline int ce_epoll_create(void) { return epoll_create1(EPOLL_CLOEXEC); }

/// Reports `tag` while `descriptor` is readable.
static inline int ce_epoll_add(int epoll, int descriptor, uint64_t tag) {
  struct epoll_event event = {.events = EPOLLIN, .data = {.u64 = tag}};
  return epoll_ctl(epoll, EPOLL_CTL_ADD, descriptor, &event);
}

/// Reports `tag` once each time that `descriptor` is woken.
static inline int ce_epoll_add_edge(int epoll, int descriptor, uint64_t tag) {
  struct epoll_event event = {.events = EPOLLIN | EPOLLET, .data = {.u64 = tag}};
  return epoll_ctl(epoll, EPOLL_CTL_ADD, descriptor, &event);
}

static inline int ce_epoll_remove(int epoll, int descriptor) {
  return epoll_ctl(epoll, EPOLL_CTL_DEL, descriptor, 0);
}

/// Waits, and writes the tags of at most 16 ready descriptors; gives how many.
static inline int ce_epoll_wait(int epoll, uint64_t *tags, int timeout_milliseconds) {
  struct epoll_event events[16];
  int count = epoll_wait(epoll, events, 16, timeout_milliseconds);
  for (int index = 0; index < count; index++) tags[index] = events[index].data.u64;
  return count;
}

/// SIGINT, SIGTERM, SIGHUP and SIGQUIT.
static inline sigset_t ce_signals(void) {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGINT);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGHUP);
  sigaddset(&set, SIGQUIT);
  return set;
}

/// Lets the four signals wait, as far as this thread is concerned.
static inline int ce_signal_block(void) {
  const sigset_t set = ce_signals();
  return pthread_sigmask(SIG_BLOCK, &set, 0);
}

/// Blocks the four signals in this thread and makes them readable.
static inline int ce_signal_open(void) {
  const sigset_t set = ce_signals();
  return ce_signal_block() == 0 ? signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK) : -1;
}

/// The next signal's number, -1 when there is none.
static inline int ce_signal_read(int descriptor) {
  struct signalfd_siginfo info;
  return read(descriptor, &info, sizeof info) == sizeof info ? (int)info.ssi_signo : -1;
}

/// Lets the four signals do again what they do by default.
static inline void ce_signal_unblock(void) {
  const sigset_t set = ce_signals();
  pthread_sigmask(SIG_UNBLOCK, &set, 0);
}

static inline int ce_timer_open(void) {
  return timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
}

/// Rings after `first` nanoseconds and then every `interval`; once when that is 0.
static inline int ce_timer_set(int descriptor, uint64_t first, uint64_t interval) {
  struct itimerspec value = {
      .it_interval = {.tv_sec = (time_t)(interval / 1000000000u), .tv_nsec = (long)(interval % 1000000000u)},
      .it_value = {.tv_sec = (time_t)(first / 1000000000u), .tv_nsec = (long)(first % 1000000000u)},
  };
  return timerfd_settime(descriptor, 0, &value, 0);
}

/// How often it rang since it was last read; 0 when it did not.
static inline uint64_t ce_timer_read(int descriptor) {
  uint64_t count;
  return read(descriptor, &count, sizeof count) == sizeof count ? count : 0;
}

static inline int ce_process_open(int pid) { return pidfd_open(pid, 0); }

/// pipe2(2), which hides behind _GNU_SOURCE; both ends close on exec.
extern int pipe2(int ends[2], int flags);
static inline int ce_pipe(int *ends) { return pipe2(ends, O_CLOEXEC); }

/// sched_getcpu(3), which hides behind _GNU_SOURCE.
extern int sched_getcpu(void);
static inline int ce_cpu(void) { return sched_getcpu(); }

/// malloc_trim(3), which Swift's Glibc module leaves out.
static inline void ce_give_memory_back(void) { malloc_trim(0); }
