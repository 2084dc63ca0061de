# xfv-tools: GNU make, no configure step. Overrides go into config.mk or the command line: CC CFLAGS CPPFLAGS LDFLAGS LDLIBS PREFIX DESTDIR.
-include config.mk

PREFIX  ?= /usr/local
bindir  ?= $(PREFIX)/bin
mandir  ?= $(PREFIX)/share/man
bashcompdir ?= $(PREFIX)/share/bash-completion/completions
zshcompdir  ?= $(PREFIX)/share/zsh/site-functions
fishcompdir ?= $(PREFIX)/share/fish/vendor_completions.d
datadir ?= $(PREFIX)/share/xfv-tools
libdir  ?= $(PREFIX)/lib
includedir ?= $(PREFIX)/include
docdir  ?= $(PREFIX)/share/doc/xfv-tools
# Where Debian's Python looks: /usr/lib/python3/dist-packages, and below another prefix a folder of its version.
pythondir ?= $(PREFIX)/lib/python3$(if $(filter-out /usr,$(PREFIX)),$(shell $(PYTHON) -c 'import sys; print(".%d" % sys.version_info[1])' 2>/dev/null))/dist-packages

CC         ?= cc
AR         ?= ar
PKG_CONFIG ?= pkg-config
PYTHON     ?= /usr/bin/python3
B          ?= build

CFLAGS   ?= -O3 -g
WARN     ?= -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wstrict-prototypes -Wformat=2 -Wvla
# One set of objects for programs and for libxfv.so, within which no call can be taken over.
HARDEN   ?= -fstack-protector-strong -D_FORTIFY_SOURCE=2 -fPIC -fno-semantic-interposition
PACKAGES  = openblas libseccomp libpng libjpeg libwebp libwebpdemux libexif nettle zlib libprotobuf-c
# Decoders and readers that a build may lack: the package (pkg-config's name), the file in libcommon/image that wants it, the word in XFV_WITH_.
OPTIONAL  = libheif:heif:HEIF libjxl:jxl:JXL libtiff-4:tiff:TIFF libopenjp2:jp2:OPENJPEG lcms2::LCMS2 jansson::JANSSON
part      = $(word $(2),$(subst :, ,$(subst ::,:-:,$(1))))
OPTIONAL := $(foreach o,$(OPTIONAL),$(if $(filter yes,$(shell $(PKG_CONFIG) --exists '$(call part,$(o),1)$(if $(filter libtiff-4:%,$(o)), >= 4.5)' && echo yes)),$(o)))
HAS_GIF  := $(if $(filter yes,$(shell echo '\#include <gif_lib.h>' | $(CC) $(CPPFLAGS) -E - >/dev/null 2>&1 && echo yes)),yes)
PACKAGES += $(foreach o,$(OPTIONAL),$(call part,$(o),1))
WITH     := $(foreach o,$(OPTIONAL),-DXFV_WITH_$(call part,$(o),3)) $(if $(HAS_GIF),-DXFV_WITH_GIF)
LACKING  := $(filter-out $(foreach o,$(OPTIONAL),$(call part,$(o),2)) $(if $(HAS_GIF),gif),heif jxl tiff jp2 gif)
MSGPACK   = $(shell $(PKG_CONFIG) --exists msgpack-c && echo msgpack-c || echo msgpack)

# -ffp-contract=off: a sum means the same on every compiler; kernels that want fused multiply-adds say so.
ALL_CPPFLAGS = -D_POSIX_C_SOURCE=200809L -DXFV_MODEL_DIR='"$(datadir)/models"' -Ilibcommon -Iinclude -Itests -isystem $(B)/gen $(WITH) $(DEPS_CFLAGS) $(CPPFLAGS)
ALL_CFLAGS   = -std=c11 $(WARN) $(HARDEN) -ffp-contract=off $(CFLAGS) -pthread -MMD -MP -ffile-prefix-map=$(CURDIR)=.
ALL_LDFLAGS  = -pie -Wl,-z,relro,-z,now -Wl,--as-needed $(LDFLAGS)
ALL_LIBS     = -lnetpbm $(DEPS_LIBS) $(if $(HAS_GIF),-lgif) $(LDLIBS) -lm -pthread
# -isystem: our warnings are for our code.
DEPS_CFLAGS := $(patsubst -I%,-isystem %,$(shell $(PKG_CONFIG) --cflags $(PACKAGES) $(MSGPACK) 2>/dev/null))
DEPS_LIBS   := $(shell $(PKG_CONFIG) --libs $(PACKAGES) $(MSGPACK) 2>/dev/null)

# Names in all scripts in pictures, where Pango is there (Debian's libpango1.0-dev); without it, boxes. PANGO= does without.
PANGO ?= $(shell $(PKG_CONFIG) --exists pangocairo fontconfig && echo pangocairo fontconfig)
ifneq ($(PANGO),)
DEPS_CFLAGS += -DXFV_PANGO $(patsubst -I%,-isystem %,$(shell $(PKG_CONFIG) --cflags $(PANGO)))
DEPS_LIBS += $(shell $(PKG_CONFIG) --libs $(PANGO)) -lgobject-2.0
endif

# One short line a file; V=1 shows the commands.
V ?= 0
say = $(if $(filter 0,$(V)),@echo '  $(1)  $@';)

ROOMS     ?= * */*
LIB_SRC   := $(sort $(filter-out %/free.c $(LACKING:%=libcommon/image/%.c) $(if $(filter jansson:%,$(OPTIONAL)),,libcommon/net/import/tfjs%),$(wildcard $(ROOMS:%=libcommon/%/*.c))))
TOOL_SRC  := $(sort $(wildcard tools/*.c))
SCRIPTS   := $(patsubst tools/%.sh,$(B)/bin/%,$(sort $(wildcard tools/*.sh)))
UNIT_SRC  := $(sort $(wildcard tests/unit/*.c))
LIB_OBJ   := $(LIB_SRC:%.c=$(B)/%.o) $(B)/gen/onnx.pb-c.o $(B)/gen/report_css.o $(B)/gen/report_js.o
TOOLS     := $(TOOL_SRC:tools/%.c=$(B)/bin/%)
UNITS     := $(UNIT_SRC:tests/unit/%.c=$(B)/unit/%)
MAN1      := $(sort $(wildcard man/*.1))
MAN5      := $(sort $(wildcard man/*.5))
MAN7      := $(sort $(wildcard man/*.7))
MODELS    := $(sort $(wildcard models/*.xfvm))

## all: build every program into build/bin (the default)
all: $(TOOLS) $(SCRIPTS) $(B)/lib/libxfv.so $(B)/lib/xfv.pc

MACHINE := $(shell $(CC) -dumpmachine)
# gcc 12 for 64-bit ARM breaks down over loops whose sum is an fmax (an internal compiler error in vect_transform_reduction). What is fast is in kernels.
ifneq ($(and $(findstring aarch64,$(MACHINE)),$(filter 12 12.%,$(shell $(CC) -dumpversion))),)
ALL_CFLAGS += -fno-tree-loop-vectorize
endif

# Kernels for wide vectors are separate files, chosen at run time: only they are compiled for more than the baseline.
ifneq ($(findstring x86_64,$(MACHINE)),)
$(B)/%_avx2.o: ISA = -mavx2 -mfma
$(B)/%_avx512.o: ISA = -mavx512f -mavx512bw -mavx512dq -mavx512vl -mavx2 -mfma -mprefer-vector-width=512
$(B)/%_amx.o: ISA = -mavx512f -mavx512bw -mavx512dq -mavx512vl -mavx2 -mfma -mavx512bf16 -mamx-tile -mamx-bf16
endif

# The unrolled tiles take longest to compile: gcc skips here what costs half of that and makes nothing faster.
$(B)/libcommon/net/run/kern_%.o: SPARE = $(if $(findstring clang,$(CC)),,-fno-gcse -fno-var-tracking-assignments)
# Vectors side by side: gcc lets their steps alternate only when asked.
$(B)/libcommon/net/run/func_%.o: SPARE = $(if $(findstring clang,$(CC)),,-fschedule-insns -fsched-pressure)

$(B)/%.o: %.c
	@mkdir -p $(@D)
	$(call say,CC)$(CC) $(ALL_CPPFLAGS) $(ALL_CFLAGS) $(ISA) $(SPARE) -c -o $@ $<

# The page's style and script as arrays of bytes.
$(B)/gen/report_%.c: libcommon/report/report.%
	@mkdir -p $(@D)
	@{ echo '#include "report/internal.h"'; echo 'const unsigned char xfv_report_$*[] = {'; od -An -v -tu1 $< | sed 's/[0-9][0-9]*/&,/g'; \
		echo '};'; echo 'const size_t xfv_report_$*_size = sizeof xfv_report_$*;'; } >$@.tmp && mv $@.tmp $@
$(B)/gen/report_%.o: $(B)/gen/report_%.c
	$(call say,CC)$(CC) $(ALL_CPPFLAGS) $(ALL_CFLAGS) -c -o $@ $<
.PRECIOUS: $(B)/gen/report_%.c

# The digests of the models as they are shipped, for xfv-doctor.
$(B)/gen/shipped.h: models/manifest.tsv
	@mkdir -p $(@D)
	@awk -F'\t' 'NR > 1 { sub(/\.xfvm$$/, "", $$1); printf "{\"%s\", \"%s\"},\n", $$1, $$2 }' $< >$@.tmp && mv $@.tmp $@
$(B)/libcommon/stage/doctor_models.o: $(B)/gen/shipped.h

# The reader of ONNX files' container is made from the schema that libonnx-dev installs.
ONNX_PROTO ?= /usr/include/onnx/onnx.proto
$(B)/gen/onnx.pb-c.c: $(ONNX_PROTO)
	@mkdir -p $(@D)
	$(call say,PB)protoc-c --proto_path=$(dir $<) --c_out=$(@D) $(notdir $<)
	@sed -i 's/\bonnx__/xfv_onnx__/g' $(@D)/onnx.pb-c.c $(@D)/onnx.pb-c.h # every symbol of ours begins with xfv_
$(B)/gen/onnx.pb-c.h: $(B)/gen/onnx.pb-c.c ;
$(B)/gen/onnx.pb-c.o: $(B)/gen/onnx.pb-c.c
	$(call say,CC)$(CC) $(ALL_CPPFLAGS) $(filter-out $(WARN),$(ALL_CFLAGS)) -w -c -o $@ $<
$(patsubst %.c,$(B)/%.o,$(wildcard libcommon/net/import/*.c)): | $(B)/gen/onnx.pb-c.h

$(B)/libxfv.a: $(LIB_OBJ)
	@rm -f $@
	$(call say,AR)$(AR) rcsD $@ $^

# The programs' own free(), which overwrites what it frees: not in the library, whose users keep theirs.
$(B)/bin/%: $(B)/tools/%.o $(B)/libcommon/base/free.o $(B)/libxfv.a
	@mkdir -p $(@D)
	$(call say,LD)$(CC) $(ALL_LDFLAGS) -o $@ $(filter-out %.a,$^) $(B)/libxfv.a $(ALL_LIBS)

# What include/xfv.h declares, and nothing else, for programs of others. Its number is that of the interface, XFV_ABI.
$(B)/lib/libxfv.so: $(B)/libcommon/stage/method.o $(B)/libxfv.a include/xfv.map
	@mkdir -p $(@D)
	$(call say,LD)$(CC) -shared $(filter-out -pie,$(ALL_LDFLAGS)) -Wl,-soname,libxfv.so.1 -Wl,--version-script=include/xfv.map -o $@.1 $< $(B)/libxfv.a $(ALL_LIBS)
	@ln -sf libxfv.so.1 $@

$(B)/lib/xfv.pc: include/xfv.pc.in libcommon/cli/cli.h
	@mkdir -p $(@D)
	@sed -e 's|@LIBDIR@|$(libdir)|; s|@INCLUDEDIR@|$(includedir)|; s|@VERSION@|$(VERSION)|' $< >$@

# Every program with its task, the method's short name and what it does: the pages say so.
$(B)/gen/programs.tsv: man/lists.sh $(MAN1)
	@mkdir -p $(@D)
	@sh man/lists.sh table >$@.tmp && mv $@.tmp $@

$(SCRIPTS): $(B)/bin/%: tools/%.sh $(B)/gen/programs.tsv libcommon/cli/cli.h
	@mkdir -p $(@D)
	$(call say,SH)sed -e "s/@VERSION@/$$(sed -n 's/^#define XFV_VERSION "\(.*\)"/\1/p' libcommon/cli/cli.h)/" -e '/^@PROGRAMS@$$/{r $(B)/gen/programs.tsv' -e 'd;}' \
		$< >$@.tmp && chmod 755 $@.tmp && mv $@.tmp $@

# The programs' names, for what must tell them from people's.
$(B)/gen/programs.h: $(B)/gen/programs.tsv
	@mkdir -p $(@D)
	@awk -F'\t' '{ printf "\"%s\",\n", $$1 }' $< >$@.tmp && mv $@.tmp $@
$(B)/libcommon/pair/pseudonym.o: $(B)/gen/programs.h

$(B)/unit/%: $(B)/tests/unit/%.o $(B)/libxfv.a
	@mkdir -p $(@D)
	$(call say,LD)$(CC) $(ALL_LDFLAGS) -o $@ $< $(B)/libxfv.a $(ALL_LIBS)

$(B)/bench/%: $(B)/tests/bench/%.o $(B)/libxfv.a
	@mkdir -p $(@D)
	$(call say,LD)$(CC) $(ALL_LDFLAGS) -o $@ $< $(B)/libxfv.a $(ALL_LIBS)

.SECONDARY:

# For those who did not say -j: make check and make demo compile on all processors.
ALL_CORES = $(if $(findstring jobserver,$(MAKEFLAGS)),,-j$(shell nproc))

## check: build and run the tests (installs missing packages first when it can)
check: deps
	@$(MAKE) $(ALL_CORES) --no-print-directory test

## test: run the tests on what is installed
test: all $(UNITS) $(B)/bench/xfv-bench $(if $(findstring -fsanitize,$(CFLAGS)),,sanitized-damaged)
	@B=$(B) PYTHON=$(PYTHON) sh tests/run.sh $(TESTS)

# What eats files, once more with the sanitizers: tests/run.sh runs this one instead.
sanitized-damaged: $(filter $(B)/libcommon/net/run/kern_%.o,$(LIB_OBJ))
	@$(MAKE) --no-print-directory B=$(B)/san ROOMS='base stream image net/* face explain pair' HARDEN=-fPIC LDFLAGS='-fsanitize=address,undefined' \
		CFLAGS='-O0 -g1 -fno-omit-frame-pointer -fsanitize=address,undefined,float-cast-overflow -fno-sanitize-recover=all' \
		$(B)/san/unit/damaged

## check-all: check, then sanitizers, valgrind, races, other compilers, static checks, fault injection and a short fuzz (half an hour of two cores and more)
check-all: deps
	@MAKE='$(MAKE)' sh tests/check-all.sh $(STEPS)

## check-faults: every program with the n-th read, write, open, close, rename, allocation failing; XFV_FAULTS=N places of each kind (40)
check-faults: all $(B)/unit/tflite
	@B=$(B) CC='$(CC)' PYTHON=$(PYTHON) sh tests/faults/run.sh

## trust: every program against kills, failing calls, cuts, bombs, extreme numbers, mutations and hijacks, as one table: docs/tables/other/trust.tsv (minutes)
trust: all $(B)/unit/tflite
	@B=$(B) CC='$(CC)' PYTHON=$(PYTHON) sh tests/trust.sh $(PROGRAMS)

## check-cluster: the recipes for many machines: Slurm with two nodes, GNU parallel over ssh to two hosts, all on this machine (root; Debian's slurmctld, slurmd, slurm-client, munge, openssh-server)
.PHONY: check-cluster
check-cluster: all
	@B=$(B) PYTHON=$(PYTHON) sh tests/cluster/run.sh
	@B=$(B) PYTHON=$(PYTHON) sh tests/run.sh hosts

## check-msan: the readers of streams, models, networks, lists, BMP and Netpbm under clang's MemorySanitizer, on tests/damaged
WRAPPED = msgpack_unpack_next msgpack_zone_new msgpack_zone_malloc_expand msgpack_zone_push_finalizer_expand msgpack_pack_object \
	protobuf_c_message_unpack pnm_readpaminit pnm_allocpamrow pnm_readpamrow
.PHONY: check-msan
check-msan:
	@$(MAKE) --no-print-directory B=build-msan CC=clang HARDEN=-fPIC WARN= ROOMS='base stream image net/* face explain pair measure' \
		CFLAGS='-O1 -g -fno-omit-frame-pointer -fsanitize=memory' LDFLAGS=-fsanitize=memory build-msan/msan
	@sh tests/fuzz/msan.sh $(CURDIR)/build-msan/msan
$(B)/msan: $(B)/tests/fuzz/replay.o $(B)/tests/fuzz/msan.o $(B)/libxfv.a
	$(CC) $(LDFLAGS) $(WRAPPED:%=-Wl,--wrap=%) -o $@ $(filter-out %.a,$^) $(B)/libxfv.a $(ALL_LIBS)

## fuzz: every target of tests/fuzz for SECONDS each (60), with clang's libFuzzer; FUZZ="stream image" chooses; ENGINE=afl: with AFL++ (Debian's afl++). Findings stay in build-fuzz, build-afl
ENGINE ?= libfuzzer
FUZZ_FLAGS = -O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined,float-cast-overflow -fno-sanitize-recover=all
FUZZ_BUILD = $(if $(filter afl,$(ENGINE)),B=build-afl CC=afl-clang-fast CFLAGS='$(FUZZ_FLAGS)',B=build-fuzz CC=clang CFLAGS='$(FUZZ_FLAGS) -fsanitize=fuzzer-no-link')
fuzz:
	@[ '$(ENGINE)' != afl ] || sh tests/deps.sh afl++
	@AFL_QUIET=1 $(MAKE) --no-print-directory HARDEN=-fPIC WARN= $(FUZZ_BUILD) LDFLAGS=-fsanitize=address,undefined $(if $(filter afl,$(ENGINE)),build-afl/fuzz build-afl/unit/tflite,build-fuzz/fuzz build-fuzz/unit/tflite)
	@ENGINE=$(ENGINE) PYTHON=$(PYTHON) sh tests/fuzz/run.sh $(or $(SECONDS),60) $(FUZZ)

# Sanitizers take minutes over the unrolled kernels, which see no hostile bytes, and every pass many times longer. (make check-all's step "kernels" has them sanitized.)
ifneq ($(filter build-afl build-fuzz,$(B)),)
$(B)/libcommon/net/run/kern_%.o: override CFLAGS = -O1
endif
ifneq ($(filter %/san,$(B)),)
$(B)/libcommon/net/run/kern_%.o: $(B:%/san=%)/libcommon/net/run/kern_%.o # sanitized-damaged takes those that are there
	@mkdir -p $(@D) && ln -f $< $@
endif
build-asan/libcommon/net/run/kern_%.o: override CFLAGS = -O3 -g
# gcc 12 does not align the vectors that it puts on the stack that outlives a call.
build-asan/libcommon/net/run/func_%.o build-kernels/libcommon/net/run/func_%.o build-kernels/libcommon/net/run/kern_%.o: override CFLAGS += --param asan-use-after-return=0
# AFL++ takes minutes over each of them even so: clang alone takes seconds.
build-afl/libcommon/net/run/kern_%.o: override CC = clang

$(B)/fuzz: $(B)/tests/fuzz/fuzz.o $(B)/libxfv.a
	$(CC) -fsanitize=fuzzer,address,undefined $(LDFLAGS) -o $@ $< $(B)/libxfv.a $(ALL_LIBS)

## fuzz-coverage: what tests/damaged, and what fuzzing found so far, reach: lines of each file, for each target (clang, Debian's llvm)
fuzz-coverage:
	@sh tests/deps.sh llvm
	@$(MAKE) --no-print-directory B=build-cov CC=clang HARDEN=-fPIC WARN= CFLAGS='-O1 -g -fprofile-instr-generate -fcoverage-mapping' \
		LDFLAGS=-fprofile-instr-generate build-cov/replay
	@sh tests/fuzz/coverage.sh $(FUZZ)

$(B)/replay: $(B)/tests/fuzz/replay.o $(B)/libxfv.a
	$(CC) $(LDFLAGS) -o $@ $< $(B)/libxfv.a $(ALL_LIBS)

## soak: RECORDS photographs (100000) through the whole pipeline: memory and descriptors stay flat, nothing is lost. NET=tiny: a small network, minutes
soak: all
	@PATH="$(abspath $(B))/bin:$$PATH" XFV_MODEL_PATH=$(CURDIR)/models PYTHONPATH=tests $(PYTHON) tests/load/soak.py $(or $(RECORDS),100000) $(NET)

print-cflags:
	@echo $(filter-out -MMD -MP,$(ALL_CPPFLAGS) $(ALL_CFLAGS))

## check-browser: drive report's page in Chromium (Debian's chromium, nodejs, npm); screenshots in build/browser
check-browser: all
	@B=$(B) PYTHON=$(PYTHON) sh tests/browser/run.sh

## bench: speed beside the machine's peak, PyTorch and ONNX Runtime into docs/tables/speed.tsv, about half an hour; LFW=dir: facecrop on its photographs; BENCH="--only forward --out FILE"
bench: all $(B)/bench/xfv-bench
	@$(PYTHON) tests/bench/bench.py $(B) models/mobilefacenet.xfvm tests/photos/*.jpg --out docs/tables/speed.tsv $(if $(LFW),--lfw '$(LFW)/images') $(BENCH)

## bench-deps: what make bench compares with: Debian's python3-torch and python3-onnx, npm's onnxruntime-node (300 MB into build/bench)
bench-deps:
	@sh tests/deps.sh python3-torch python3-onnx $$(command -v npm >/dev/null || echo nodejs npm)
	@mkdir -p $(B)/bench && npm install --silent --no-audit --no-fund --ignore-scripts --prefix $(B)/bench onnxruntime-node@1.30.0

## check-torch: compare with PyTorch on networks of full size and on 1000 random ones (NETS="name ..."; installs python3-torch and python3-onnx; minutes, 2 GB of disk)
check-torch: all $(B)/unit/onnx
	@sh tests/deps.sh python3-torch python3-onnx
	@mkdir -p $(B)/onnx
	$(PYTHON) tests/onnx/make.py $(B)/onnx $(NETS)
	$(B)/unit/onnx $(B)/onnx
	PATH="$(abspath $(B))/bin:$$PATH" $(PYTHON) tests/bench/torch-contrast.py models/mobilefacenet.xfvm tests/photos/anna-1.jpg tests/photos/bella.jpg
	@rm -rf $(B)/onnx-random && mkdir -p $(B)/onnx-random
	$(PYTHON) tests/onnx/random-graphs.py $(B)/onnx-random 1000
	$(B)/unit/onnx $(B)/onnx-random >$(B)/onnx-random/log && tail -n 1 $(B)/onnx-random/log || ! grep '^not ok' $(B)/onnx-random/log | grep -v 'too many axes'

## networks: families of networks with random weights, imported, compared with PyTorch and timed: docs/tables/other/networks.tsv (NETS="word ..."; ORT=folder with onnxruntime-node)
networks: all $(B)/unit/onnx $(B)/bench/xfv-bench
	@sh tests/deps.sh python3-torch python3-onnx
	@mkdir -p $(B)/networks
	B=$(B) $(PYTHON) tests/onnx/networks.py $(B)/networks docs/tables/other/networks.tsv $(NETS)

## deps: install the Debian packages that are missing (debian/control names them), through sudo when not root
deps:
	@sh tests/deps.sh

## demo: install what is missing, build, explain two photographs
demo: deps
	@$(MAKE) $(ALL_CORES) --no-print-directory all
	@B=$(B) sh tests/demo.sh

## reproduce: LFW=dir: the whole study of rivals and controls into OUT (default build/study), resumable; installs gnuplot and parallel; see docs/evidence.md
OUT ?= $(B)/study
reproduce: all
	@test -n "$(LFW)" || { echo 'make reproduce LFW=dir: the folder with pairs.txt and images/NAME/NAME_0001.jpg' >&2; exit 2; }
	@sh tests/deps.sh parallel gnuplot-nox || echo 'make reproduce: goes on without what is missing' >&2
	PATH="$(abspath $(B))/bin:$$PATH" XFV_MODEL_PATH="$${XFV_MODEL_PATH:-$(CURDIR)/models}" sh study/run.sh "$(LFW)" "$(OUT)"

## evidence: LFW=dir: planted truth, patches, partners, shuffled networks, completeness and cost of all methods into build/evidence, resumable; see docs/evidence.md
evidence: all
	@test -n "$(LFW)" || { echo 'make evidence LFW=dir: the folder with pairs.txt and images/NAME/NAME_0001.jpg' >&2; exit 2; }
	@sh tests/deps.sh parallel || echo 'make evidence: goes on without what is missing' >&2
	PATH="$(abspath $(B))/bin:$$PATH" XFV_MODEL_PATH="$${XFV_MODEL_PATH:-$(CURDIR)/models}" sh study/evidence.sh "$(LFW)" "$(B)/evidence"

## judge: LFW=dir METHOD='python3 mine.py': a method of one's own through all measures, beside the project's, into build/judge; QUICK=1: in minutes
judge: all
	@test -n "$(LFW)" && test -n "$(METHOD)" || { echo "make judge LFW=dir METHOD='python3 mine.py': LFW has pairs.txt and images/NAME/NAME_0001.jpg" >&2; exit 2; }
	@PATH="$(abspath $(B))/bin:$$PATH" XFV_MODEL_PATH="$${XFV_MODEL_PATH:-$(CURDIR)/models}" PYTHONPATH="$(CURDIR)/python:$$PYTHONPATH" \
		QUICK="$(QUICK)" sh study/judge.sh "$(LFW)" "$(B)/judge" '$(METHOD)'

## completions: for bash, zsh and fish, made from the programs' --help
completions: $(B)/completions/bash/xfv-tools
$(B)/completions/bash/xfv-tools: $(TOOLS) $(SCRIPTS) $(wildcard completions/*)
	@sh completions/make.sh $(B)/bin $(B)/completions

## install, uninstall: PREFIX (default /usr/local) and DESTDIR are honoured
install: all completions
	install -d $(DESTDIR)$(bindir) $(DESTDIR)$(mandir)/man1 $(DESTDIR)$(mandir)/man5 $(DESTDIR)$(mandir)/man7 \
		$(DESTDIR)$(bashcompdir) $(DESTDIR)$(zshcompdir) $(DESTDIR)$(fishcompdir) $(DESTDIR)$(datadir)/models $(DESTDIR)$(docdir)/docs $(DESTDIR)$(docdir)/examples/photos $(DESTDIR)$(docdir)/models
	install -m 755 $(TOOLS) $(SCRIPTS) $(DESTDIR)$(bindir)
	install -d $(DESTDIR)$(libdir)/pkgconfig $(DESTDIR)$(includedir)
	install -m 644 $(B)/lib/libxfv.so.1 $(DESTDIR)$(libdir)
	ln -sf libxfv.so.1 $(DESTDIR)$(libdir)/libxfv.so
	sed -e 's|@LIBDIR@|$(libdir)|; s|@INCLUDEDIR@|$(includedir)|; s|@VERSION@|$(VERSION)|' include/xfv.pc.in >$(DESTDIR)$(libdir)/pkgconfig/xfv.pc
	install -m 644 include/xfv.h $(DESTDIR)$(includedir)
	install -m 644 $(B)/completions/bash/xfv-tools $(DESTDIR)$(bashcompdir)
	for p in $(notdir $(TOOLS) $(SCRIPTS)); do ln -sf xfv-tools $(DESTDIR)$(bashcompdir)/$$p; done
	install -m 644 $(B)/completions/zsh/_xfv-tools $(DESTDIR)$(zshcompdir)
	install -m 644 $(B)/completions/fish/*.fish $(DESTDIR)$(fishcompdir)
	install -m 644 $(MAN1) $(DESTDIR)$(mandir)/man1
	install -m 644 $(MAN5) $(DESTDIR)$(mandir)/man5
	install -m 644 $(MAN7) $(DESTDIR)$(mandir)/man7
	install -m 644 $(MODELS) $(DESTDIR)$(datadir)/models
	install -m 644 README.md LICENSE NEWS.md models/LICENSE* $(DESTDIR)$(docdir)
	install -m 644 $(wildcard docs/*.*) $(DESTDIR)$(docdir)/docs
	cd docs && find tables -type f -exec install -D -m 644 {} $(abspath $(DESTDIR)$(docdir))/docs/{} \;
	install -m 644 $(wildcard models/*.md) $(DESTDIR)$(docdir)/models
	install -m 644 $(wildcard examples/*.*) $(DESTDIR)$(docdir)/examples
	install -d $(DESTDIR)$(pythondir)/xfv
	install -m 644 python/xfv/*.py python/xfv/py.typed $(DESTDIR)$(pythondir)/xfv
	install -m 644 $(wildcard tests/photos/*) $(DESTDIR)$(docdir)/examples/photos

uninstall:
	rm -f $(patsubst $(B)/bin/%,$(DESTDIR)$(bindir)/%,$(TOOLS) $(SCRIPTS)) $(MAN1:man/%=$(DESTDIR)$(mandir)/man1/%) $(MAN5:man/%=$(DESTDIR)$(mandir)/man5/%) \
		$(MAN7:man/%=$(DESTDIR)$(mandir)/man7/%) $(DESTDIR)$(bashcompdir)/xfv-tools $(DESTDIR)$(zshcompdir)/_xfv-tools \
		$(foreach p,$(notdir $(TOOLS) $(SCRIPTS)),$(DESTDIR)$(bashcompdir)/$(p) $(DESTDIR)$(fishcompdir)/$(p).fish)
	rm -f $(DESTDIR)$(libdir)/libxfv.so $(DESTDIR)$(libdir)/libxfv.so.1 $(DESTDIR)$(libdir)/pkgconfig/xfv.pc $(DESTDIR)$(includedir)/xfv.h
	rm -rf $(DESTDIR)$(datadir) $(DESTDIR)$(docdir) $(DESTDIR)$(pythondir)/xfv

VERSION = $(shell sed -n 's/^.define XFV_VERSION "\(.*\)"/\1/p' libcommon/cli/cli.h)
## dist: the sources of the last commit as build/xfv-tools-VERSION.tar.gz, the same bytes whenever and wherever it is made
dist:
	@mkdir -p $(B)
	@git -c tar.umask=0022 archive --format=tar --prefix=xfv-tools-$(VERSION)/ HEAD >$(B)/dist.tar || { rm -f $(B)/dist.tar; exit 1; }
	@gzip -9 -n <$(B)/dist.tar >$(B)/xfv-tools-$(VERSION).tar.gz && rm $(B)/dist.tar
	@echo $(B)/xfv-tools-$(VERSION).tar.gz

## check-package: make dist, build the Debian package twice, compare, lintian, unpack, run (installs debhelper and lintian)
check-package:
	@sh tests/package.sh

## clean: remove what was built
clean:
	rm -rf $(B) build-msan build-asan build-kernels build-tsan build-clang build-fuzz build-afl build-cov build-logs

## list, help: what can be made
list help:
	@sed -n 's/^## //p' Makefile

.PHONY: networks trust sanitized-damaged completions reproduce evidence judge all soak check check-browser check-package dist check-all check-faults fuzz fuzz-coverage print-cflags test check-torch bench bench-deps deps demo install uninstall clean list help

-include $(shell find $(B) -name '*.d' 2>/dev/null)
