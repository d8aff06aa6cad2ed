"""How wide the vectors are into which loops are compiled: 512 bits on processors known to gain by it.

On every Intel processor with AVX-512 but the Xeon Phi, LLVM gives loops vectors of 256 bits (its tuning of the model:
`prefer-256-bit`), because the first of these lowered their clock for wider ones. On AMD's Zen 4 and 5 it uses all 512.

Only the processes that compile (`worker`) are told otherwise, by a variable of numba's. A process that runs what they
compiled takes the machine code as it is; its own numba, and so its user's functions, stay as they were. What it has to
compile itself, as `cache` then says, has the vectors of its own numba.
"""

from functools import cache

from llvmlite import binding
from numba.core import codegen, config

# Where the kernel was measured with 512 bits and was faster (LOG.md, "Vectors of 512 bits where they gain"): processors
# by LLVM's names, and those with matrix tiles. Only Intel's servers have these, from Sapphire Rapids on; a feature is
# asked for because a virtual machine may give its processor another model's number: one measured was a "rocketlake".
# Not here, although LLVM tunes them alike, for want of a measurement:
# - Skylake to Cooper Lake (skylake-avx512, cascadelake, cooperlake): their clock falls with wide vectors.
# - Ice Lake client, Tiger Lake, Rocket Lake: one multiply-add unit of 512 bits, where a server has two. And LLVM calls
#   models that it does not know icelake-client or tigerlake.
GAINING = frozenset({"icelake-server"})
TILES = "+amx-tile"
WIDE = "-prefer-256-bit"

# The wider registers of an x86 processor, by the names that assembly has for them.
REGISTERS = {"zmm": 512, "ymm": 256, "xmm": 128}
LOOP = """
define void @double(ptr %x, i64 %count) {
entry:
  br label %loop
loop:
  %i = phi i64 [0, %entry], [%next, %loop]
  %place = getelementptr float, ptr %x, i64 %i
  %number = load float, ptr %place
  %twice = fadd float %number, %number
  store float %twice, ptr %place
  %next = add i64 %i, 1
  %more = icmp ult i64 %next, %count
  br i1 %more, label %loop, label %end
end:
  ret void
}
"""


def settings() -> dict[str, str]:
    """Variables of numba's by which a process compiles loops to wider vectors than LLVM would; mostly none.

    None where the user names a processor or its features (NUMBA_CPU_NAME, NUMBA_CPU_FEATURES), and none where the
    processor cannot: a virtual machine may hide AVX-512.
    """
    if config.CPU_NAME is not None or config.CPU_FEATURES is not None:
        return {}
    features = codegen.get_host_cpu_features()
    has = features.split(",")
    gains = "+avx512f" in has and (TILES in has or binding.get_host_cpu_name() in GAINING)
    return {"NUMBA_CPU_FEATURES": f"{features},{WIDE}"} if gains else {}


def vector_bits() -> int | None:
    """The bits of the vectors into which loops are compiled here; None where the processor is no x86."""
    config.reload_config()  # as the processes that compile will read them
    name = binding.get_host_cpu_name() if config.CPU_NAME is None else config.CPU_NAME
    chosen = settings().get("NUMBA_CPU_FEATURES", config.CPU_FEATURES)
    assembly = assembly_of_a_loop(name, codegen.get_host_cpu_features() if chosen is None else chosen)
    return next((bits for register, bits in REGISTERS.items() if register in assembly), None)


@cache
def assembly_of_a_loop(name: str, features: str) -> str:
    """What LLVM makes of a loop over float32 for the processor `name` with, or without, these features.

    LLVM is asked because it does not tell its tuning of a model.
    """
    codegen.initialize_llvm()
    target = binding.Target.from_triple(binding.get_process_triple())
    machine = target.create_target_machine(cpu=name, features=features, opt=3)
    module = binding.parse_assembly(LOOP)
    module.triple = machine.triple
    options = binding.create_pipeline_tuning_options(speed_level=3)
    options.loop_vectorization = True
    passes = binding.create_pass_builder(machine, options)
    passes.getModulePassManager().run(module, passes)
    assembly: str = machine.emit_assembly(module)
    return assembly
